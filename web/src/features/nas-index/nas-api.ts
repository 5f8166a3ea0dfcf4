/** Search, series, runs and sources of the NAS index, as the API tells them. */
import { keepPreviousData, queryOptions, useMutation, useQueryClient, type QueryKey } from "@tanstack/react-query";

import { api } from "@/lib/api";

import type { SearchPlace } from "./search-address";

export type Integrity = "complete" | "gaps" | "duplicates" | "unknown";

/** One series in a list; names are DICOM keywords where DICOM has one. */
export interface Series {
  SeriesKey: string;
  SeriesInstanceUID: string;
  StudyInstanceUID: string;
  PatientName: string;
  PatientID: string;
  PatientBirthDate: string;
  PatientSex: string;
  StudyDate: string;
  StudyTime: string;
  StudyDescription: string;
  SeriesDescription: string;
  SeriesNumber: string;
  Modality: string;
  BodyPartExamined: string;
  AccessionNumber: string;
  InstitutionName: string;
  file_count: number;
  size_bytes: number;
  source: string;
  source_online: boolean;
  also_on: string[];
  in_orthanc: boolean;
  integrity: Integrity;
  medical_aid: string;
  hospital: string;
  hospital_group: string;
  last_seen: string;
}

export interface SeriesFile {
  path: string;
  size: number;
  instance_number: number | null;
  sop_instance_uid: string;
}

export interface SeriesDetail extends Series {
  files: SeriesFile[];
  files_total: number;
  gaps: { first: number; last: number }[];
  duplicates: { sop_instance_uid: string; paths: string[] }[];
  timezone: string;
}

export interface SearchAnswer {
  results: Series[];
  total: number;
  total_is_exact: boolean;
  timezone: string;
}

/** What lists can be narrowed to at this site. */
export interface Profile {
  name: string;
  timezone: string;
  medical_aids: string[];
  hospital_groups: string[];
  hospitals: string[];
}

export type ImportState = "none" | "queued" | "running" | "done" | "failed" | "cancelled" | "interrupted";

export interface SeriesImport {
  state: ImportState;
  done: number;
  total: number;
  alreadyThere: number;
  failed: number;
  bytes: number;
  bytesTotal: number;
  message: string;
  orthancSeriesId: string | null;
  errors: { path: string; message: string; suggestion: string }[];
}

export type RunState = "queued" | "running" | "paused" | "done" | "failed" | "cancelled" | "interrupted";

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
  state: RunState | null;
  unchanged: number;
  limit: number;
  started_by: string;
  started_at: string | null;
  finished_at: string | null;
  message: string;
}

export interface Source {
  name: string;
  type: string;
  location: string;
  configured: boolean;
  enabled: boolean;
  online: boolean;
  offline_reason: string;
  last_run: RunStatus | null;
  files: number;
  series: number;
}

/** What a connection test found. */
export interface Tested {
  ok: boolean;
  error_type: string;
  error_code: string;
  message: string;
  suggestion: string;
  latency_ms: number | null;
  throughput_mb_s: number | null;
  encrypted: boolean | null;
  files_sampled: number;
  workers: number;
}

export interface Suggestion {
  title: string;
  detail: string;
  source?: string | null;
  setting?: string | null;
  value?: string | number | null;
}

export interface RunOrder {
  source: string;
  limit: number;
}

export type RunWord = "pause" | "resume" | "cancel";

/** Rows on one page of results. */
export const PAGE_SIZE = 50;

/** Files of a series on one page. */
export const FILES_AT_ONCE = 1_000;

/** How often a run in progress is asked about. */
const POLL_MS = 2_000;

/** An import of one series is short: its bar is asked for more often. */
const IMPORT_POLL_MS = 1_000;

const NAS_KEY = ["nas"] as const;
const SEARCH_KEY = [...NAS_KEY, "search"] as const;
const SOURCES_KEY = [...NAS_KEY, "sources"] as const;
const SUGGESTIONS_KEY = [...NAS_KEY, "suggestions"] as const;

export function searchQuery(place: SearchPlace) {
  const { page, ...wanted } = place;
  return queryOptions({
    queryKey: [...SEARCH_KEY, place],
    queryFn: ({ signal }) =>
      api.get<SearchAnswer>("/api/search", { query: { ...wanted, limit: PAGE_SIZE, offset: (page - 1) * PAGE_SIZE }, signal }),
    placeholderData: keepPreviousData,
  });
}

export const profileQuery = queryOptions({
  queryKey: [...NAS_KEY, "profile"],
  queryFn: ({ signal }) => api.get<Profile>("/api/index/profile", { signal }),
  staleTime: 600_000,
});

export function seriesQuery(key: string, source: string, page: number) {
  return queryOptions({
    queryKey: [...NAS_KEY, "series", key, source, page],
    queryFn: ({ signal }) =>
      api.get<SeriesDetail>(`/api/series/${encodeURIComponent(key)}`, {
        query: { source, files_limit: FILES_AT_ONCE, files_offset: (page - 1) * FILES_AT_ONCE },
        signal,
      }),
    placeholderData: keepPreviousData,
  });
}

export function isMoving({ state }: Pick<SeriesImport, "state">): boolean {
  return state === "queued" || state === "running";
}

export function importQuery(key: string) {
  return queryOptions({
    queryKey: [...NAS_KEY, "import", key],
    queryFn: ({ signal }) => api.get<SeriesImport>(`/api/series/${encodeURIComponent(key)}/import`, { signal }),
    refetchInterval: ({ state }) => (state.data !== undefined && isMoving(state.data) ? IMPORT_POLL_MS : false),
  });
}

export const sourcesQuery = queryOptions({
  queryKey: SOURCES_KEY,
  queryFn: ({ signal }) => api.get<{ items: Source[]; total: number }>("/api/index/sources", { signal }),
  // A run may be started by someone else, or on the command line.
  refetchInterval: ({ state }) => (state.data?.items.some(({ last_run }) => last_run?.running === true) === true ? POLL_MS : 15_000),
});

export function statusQuery(runId: string) {
  return queryOptions({
    queryKey: [...NAS_KEY, "status", runId],
    queryFn: ({ signal }) => api.get<RunStatus>("/api/index/status", { query: { run_id: runId }, signal }),
    refetchInterval: ({ state }) => (state.data?.running === false ? false : POLL_MS),
  });
}

export const suggestionsQuery = queryOptions({
  queryKey: SUGGESTIONS_KEY,
  queryFn: ({ signal }) => api.get<{ suggestions: Suggestion[] }>("/api/nas/suggestions", { signal }),
});

export function useStartRun() {
  const refresh = useRefresh(SOURCES_KEY);
  return useMutation({
    mutationFn: ({ source, limit }: RunOrder) => api.post<{ runId: string }>("/api/index/start", { source, limit }),
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

export function useTestSource() {
  const refresh = useRefresh(SUGGESTIONS_KEY);
  return useMutation({
    mutationFn: (source: string) => api.post<Tested>("/api/nas/test", { source }),
    onSuccess: refresh,
  });
}

export function useImportSeries(key: string, source: string) {
  const refresh = useRefresh([...NAS_KEY, "import", key]);
  return useMutation({
    mutationFn: () => api.post<{ jobId: string }>(`/api/series/${encodeURIComponent(key)}/import`, { source }),
    onSuccess: refresh,
  });
}

export function useCancelImport(key: string) {
  const refresh = useRefresh([...NAS_KEY, "import", key]);
  return useMutation({
    mutationFn: () => api.post<SeriesImport>(`/api/series/${encodeURIComponent(key)}/import/cancel`, {}),
    onSuccess: refresh,
  });
}

/** A run that goes on fills the lists; a series that was imported changes its badge. */
export function useCatalogueChanged(): () => void {
  const queries = useQueryClient();
  return () => {
    void queries.invalidateQueries({ queryKey: SEARCH_KEY });
    void queries.invalidateQueries({ queryKey: [...NAS_KEY, "series"] });
    void queries.invalidateQueries({ queryKey: SUGGESTIONS_KEY });
  };
}

function useRefresh(queryKey: QueryKey) {
  const queries = useQueryClient();
  return () => queries.invalidateQueries({ queryKey });
}
