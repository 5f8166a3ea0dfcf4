/** Runs: how far one is, those that were, what they could not read; starting, pausing, ending. */
import { keepPreviousData, queryOptions, useMutation } from "@tanstack/react-query";

import { api } from "@/lib/api";
import type { Page } from "@/lib/api/types";

import { NAS_KEY, POLL_MS, RUNS_KEY, SOURCES_KEY, useRefresh } from "./nas-keys";

export type RunState = "queued" | "running" | "paused" | "done" | "failed" | "cancelled" | "interrupted" | "offline";

export interface RunError {
  error_type: string;
  error_code: string;
  message: string;
  suggestion: string;
  file_path: string | null;
  timestamp: string;
  retry_count: number;
}

export interface RunStatus {
  enumerated_files: number;
  files_processed: number;
  series_count: number;
  errors: number;
  running: boolean;
  paused: boolean;
  phase: string;
  files_per_second: number;
  estimated_completion: string | null;
  recent_errors: RunError[];
  run_id: string | null;
  source: string | null;
  path: string;
  state: RunState | null;
  unchanged: number;
  added: number;
  changed: number;
  moved: number;
  gone: number;
  limit: number;
  started_by: string;
  started_at: string | null;
  finished_at: string | null;
  message: string;
}

export interface RunOrder {
  source: string;
  limit?: number;
  /** Most files of the source were removed on purpose: take them out of the index. */
  acceptLoss?: boolean;
}

export type RunWord = "pause" | "resume" | "cancel";

export function statusQuery(runId: string) {
  return queryOptions({
    queryKey: [...RUNS_KEY, "one", runId],
    queryFn: ({ signal }) => api.get<RunStatus>("/api/index/status", { query: { run_id: runId }, signal }),
    refetchInterval: ({ state }) => (state.data?.running === false ? false : POLL_MS),
  });
}

/** Runs of one source, or of all (""), newest first. */
export function runsQuery(source: string, limit: number, offset: number) {
  return queryOptions({
    queryKey: [...RUNS_KEY, "list", source, limit, offset],
    queryFn: ({ signal }) => api.get<Page<RunStatus>>("/api/index/runs", { query: { source, limit, offset }, signal }),
    placeholderData: keepPreviousData,
    refetchInterval: ({ state }) => (state.data?.items.some(({ running }) => running) === true ? POLL_MS : false),
  });
}

/** What a run could not read, newest first; of one type, or all (""). */
export function errorsQuery(runId: string, type: string, limit: number, offset: number, count: number) {
  return queryOptions({
    // The run's own count is part of the key: when it grows, the list is asked for again.
    queryKey: [...RUNS_KEY, "errors", runId, type, limit, offset, count],
    queryFn: ({ signal }) => errorsOf(runId, type, limit, offset, signal),
    placeholderData: keepPreviousData,
  });
}

export function errorsOf(runId: string, type: string, limit: number, offset: number, signal?: AbortSignal): Promise<Page<RunError>> {
  return api.get<Page<RunError>>(`/api/index/runs/${encodeURIComponent(runId)}/errors`, {
    query: { error_type: type, limit, offset },
    ...(signal === undefined ? {} : { signal }),
  });
}

export function useStartRun() {
  const refresh = useRefresh(SOURCES_KEY, RUNS_KEY);
  return useMutation({
    mutationFn: (order: RunOrder) => api.post<{ runId: string }>("/api/index/start", order),
    onSuccess: refresh,
  });
}

export function useAskRun() {
  const refresh = useRefresh(NAS_KEY);
  return useMutation({
    mutationFn: ({ word, runId }: { word: RunWord; runId: string }) => api.post<RunStatus>(`/api/index/${word}`, { runId }),
    // Also after a refusal: the run had ended before the word came.
    onSettled: refresh,
  });
}
