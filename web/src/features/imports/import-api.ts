/** Import runs as the API tells them. */
import { keepPreviousData, queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";

import { api } from "@/lib/api";
import type { Page } from "@/lib/api/types";
import { CASES_KEY } from "@/lib/case-list";

export type RunState = "queued" | "running" | "done" | "failed" | "cancelled" | "interrupted";

export interface ImportRun {
  runId: string;
  state: RunState;
  source: string;
  dryRun: boolean;
  deidentify: boolean;
  startedBy: string | null;
  startedAt: string | null;
  finishedAt: string | null;
  phase: string | null;
  filesSeen: number;
  filesDone: number;
  bytesDone: number;
  added: number;
  unchanged: number;
  changed: number;
  missing: number;
  notDicom: number;
  failed: number;
  filesPerSecond: number | null;
  etaSeconds: number | null;
  message: string | null;
}

export interface ImportItem {
  path: string;
  outcome: string;
  reason: string | null;
}

export interface ImportOrder {
  source?: string;
  deidentify: boolean;
  dryRun: boolean;
}

const RUNS_KEY = ["imports"] as const;

/** How often a run in progress is asked about. */
const POLL_MS = 2_000;

export function isActive(run: Pick<ImportRun, "state">): boolean {
  return run.state === "queued" || run.state === "running";
}

export function runsQuery(limit: number, offset: number) {
  return queryOptions({
    queryKey: [...RUNS_KEY, "list", limit, offset],
    queryFn: ({ signal }) => api.get<Page<ImportRun>>("/api/bestof/imports", { query: { limit, offset }, signal }),
    placeholderData: keepPreviousData,
    refetchInterval: ({ state }) => (state.data?.items.some(isActive) === true ? POLL_MS : false),
  });
}

export function runQuery(runId: string) {
  return queryOptions({
    queryKey: [...RUNS_KEY, "one", runId],
    queryFn: ({ signal }) => api.get<ImportRun>(`/api/bestof/imports/${encodeURIComponent(runId)}`, { signal }),
    refetchInterval: ({ state }) => (state.data !== undefined && isActive(state.data) ? POLL_MS : false),
  });
}

export function itemsQuery(runId: string, outcome: string, limit: number, offset: number) {
  return queryOptions({
    queryKey: [...RUNS_KEY, "items", runId, outcome, limit, offset],
    queryFn: ({ signal }) =>
      api.get<Page<ImportItem>>(`/api/bestof/imports/${encodeURIComponent(runId)}/items`, {
        query: { outcome, limit, offset },
        signal,
      }),
    placeholderData: keepPreviousData,
  });
}

export function useStartImport() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (order: ImportOrder) => api.post<{ runId: string }>("/api/bestof/imports", order),
    onSuccess: () => queries.invalidateQueries({ queryKey: RUNS_KEY }),
  });
}

export function useCancelImport() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (runId: string) => api.post(`/api/bestof/imports/${encodeURIComponent(runId)}/cancel`, {}),
    onSuccess: () => queries.invalidateQueries({ queryKey: RUNS_KEY }),
  });
}

/** An import that ended has changed the lists of cases. */
export function useCasesChanged(): () => void {
  const queries = useQueryClient();
  return () => void queries.invalidateQueries({ queryKey: CASES_KEY });
}
