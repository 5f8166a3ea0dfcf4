/** Finding: search, one series and its import, as the API tells them. Runs and sources are told in files of their own. */
import { keepPreviousData, queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";

import { api } from "@/lib/api";

import { NAS_KEY, SEARCH_KEY, SERIES_KEY, SUGGESTIONS_KEY, useRefresh } from "./nas-keys";
import type { SearchPlace } from "./search-address";

/** The source of what lies in Orthanc and on no NAS. */
export const ORTHANC = "Orthanc";

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

/** Rows on one page of results. */
export const PAGE_SIZE = 50;

/** Files of a series on one page. */
export const FILES_AT_ONCE = 1_000;

/** An import of one series is short: its bar is asked for more often than a run's. */
const IMPORT_POLL_MS = 1_000;

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
    queryKey: [...SERIES_KEY, key, source, page],
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
    void queries.invalidateQueries({ queryKey: SERIES_KEY });
    void queries.invalidateQueries({ queryKey: SUGGESTIONS_KEY });
  };
}
