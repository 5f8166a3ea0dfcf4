/** What an admin does with cases: create, change, publish, withdraw, add an exam type. */
import { useMutation, useQueryClient } from "@tanstack/react-query";

import { api } from "@/lib/api";
import { ApiError } from "@/lib/api/errors";
import type { Case, ExamType, Identifiable } from "@/lib/api/types";
import { CASES_KEY } from "@/lib/case-list";
import { examTypesQuery } from "@/lib/exam-types";

export interface CaseValues {
  examType: string;
  title: string;
  text: string;
  caseNumber: number;
}

/** Creates a case, or changes `id`. A number left at the proposed one is not sent, so that the server gives the next free one. */
export function useSaveCase(id: string | null) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: ({ caseNumber, ...values }: Omit<CaseValues, "caseNumber"> & { caseNumber: number | null }) => {
      const body = caseNumber === null ? values : { ...values, caseNumber };
      return id === null ? api.post<Case>("/api/bestof/cases", body) : api.put<Case>(`/api/bestof/cases/${encodeURIComponent(id)}`, body);
    },
    onSuccess: () => queries.invalidateQueries({ queryKey: CASES_KEY }),
  });
}

export function usePublish() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: ({ id, published, confirmed }: { id: string; published: boolean; confirmed: boolean }) =>
      api.put<Case>(`/api/bestof/cases/${encodeURIComponent(id)}`, confirmed ? { published, confirmIdentifiable: true } : { published }),
    onSuccess: () => queries.invalidateQueries({ queryKey: CASES_KEY }),
  });
}

export function useWithdraw() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => api.delete(`/api/bestof/cases/${encodeURIComponent(id)}`),
    onSuccess: () => queries.invalidateQueries({ queryKey: CASES_KEY }),
  });
}

export function useAddExamType() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (name: string) => api.post<ExamType>("/api/bestof/exam-types", { name }),
    onSuccess: () => queries.invalidateQueries({ queryKey: examTypesQuery.queryKey }),
  });
}

export function isNumberTaken(error: Error | null): boolean {
  return error instanceof ApiError && error.code === "case_number_taken";
}

/** The counts of the publish gate, when that is what the server answered. */
export function gateCounts(error: Error | null): Identifiable | null {
  if (!(error instanceof ApiError) || error.code !== "case_identifiable") return null;
  const detail = (error.detail ?? {}) as Partial<Identifiable>;
  return { patientNames: detail.patientNames ?? 0, birthDates: detail.birthDates ?? 0, burnedIn: detail.burnedIn ?? 0 };
}
