/** Exam types (modality folders): read by the students' filter and by the admins' dialog. */
import { queryOptions, useQuery } from "@tanstack/react-query";

import { api } from "@/lib/api";
import type { ExamType, Page } from "@/lib/api/types";

export const examTypesQuery = queryOptions({
  queryKey: ["exam-types"],
  queryFn: ({ signal }) => api.get<Page<ExamType>>("/api/bestof/exam-types", { signal }),
  staleTime: 5 * 60_000,
});

export function useExamTypes() {
  return useQuery(examTypesQuery);
}
