/** The list of cases: students read the published ones, admins all. Its key is shared so that an edit refreshes both. */
import { keepPreviousData, queryOptions } from "@tanstack/react-query";

import { api } from "@/lib/api";
import type { Case, Page } from "@/lib/api/types";

export const CASES_KEY = ["cases"] as const;

export interface CaseFilter {
  q: string;
  examType: string;
  /** null: both. */
  published: boolean | null;
}

export function caseListQuery(filter: CaseFilter, limit: number, offset: number) {
  return queryOptions({
    queryKey: [...CASES_KEY, "list", filter, limit, offset],
    queryFn: ({ signal }) =>
      api.get<Page<Case>>("/api/bestof/cases", { query: { ...filter, limit, offset }, signal }),
    placeholderData: keepPreviousData,
  });
}

export function caseQuery(id: string) {
  return queryOptions({
    queryKey: [...CASES_KEY, "one", id],
    queryFn: ({ signal }) => api.get<Case>(`/api/bestof/cases/${encodeURIComponent(id)}`, { signal }),
  });
}
