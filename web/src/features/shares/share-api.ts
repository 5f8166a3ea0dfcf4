/** Links as their makers see them: made, listed, extended, revoked, looked into. Sharing's JSON is snake_case. */
import { keepPreviousData, queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";

import { api } from "@/lib/api";
import type { Page } from "@/lib/api/types";

import type { SharesPlace } from "./share-address";

export type ShareState = "active" | "expired" | "revoked" | "owner_disabled" | "used_up" | "preparing" | "failed";

/** What headers say of a series, by DICOM keyword; what is not known is "" or not there. */
export type SeriesFacts = Partial<
  Record<
    | "PatientName"
    | "PatientID"
    | "PatientBirthDate"
    | "PatientSex"
    | "StudyDate"
    | "StudyTime"
    | "StudyDescription"
    | "SeriesDescription"
    | "SeriesNumber"
    | "Modality"
    | "InstitutionName",
    string
  >
>;

export interface Share {
  id: string;
  series_key: string;
  study_uid: string;
  series_uid: string;
  series: SeriesFacts;
  origin: string;
  source: string;
  created_by: string;
  created_at: string;
  expires_at: string;
  revoked_at: string | null;
  has_password: boolean;
  locked_until: string | null;
  max_downloads: number | null;
  download_count: number;
  access_count: number;
  last_accessed: string | null;
  file_count: number;
  size_bytes: number;
  deidentified: boolean;
  copy_state: string | null;
  copy_message: string;
  /** Files of the copy, of `file_count`. */
  copy_done: number;
  note: string;
  state: ShareState;
}

export interface NewShare {
  series_key: string;
  expires_hours: number;
  password: string | null;
  max_downloads: number | null;
  deidentified: boolean;
  accept_burned_in: boolean;
  note: string;
}

/** Token and address are told this once. */
export interface CreatedShare {
  token: string;
  url: string;
  expires_at: string;
  id: string;
}

export interface ShareEdit {
  expires_hours?: number;
  max_downloads?: number | null;
  note?: string;
}

export interface Access {
  time: string;
  ip: string;
  user_agent: string;
  what: string;
  bytes: number;
  success: boolean;
}

export interface Day {
  day: string;
  created: number;
  downloads: number;
  refused: number;
}

export interface Statistics {
  active: number;
  expired: number;
  revoked: number;
  owner_disabled: number;
  used_up: number;
  preparing: number;
  failed: number;
  created_last_30_days: number;
  downloads: number;
  bytes: number;
  refused: number;
  /** How far bytes and refusals reach back. */
  log_days: number;
  by_day: Day[];
  by_user: { user: string; created: number; active: number; downloads: number }[];
}

export const PAGE_SIZE = 50;
export const LOG_PAGE_SIZE = 25;

const SHARES_KEY = ["shares"] as const;

/** A copy that is being made changes its row soon. */
const PREPARING_POLL_MS = 5_000;

export function sharesQuery({ page, ...wanted }: SharesPlace) {
  return queryOptions({
    queryKey: [...SHARES_KEY, "list", wanted, page],
    queryFn: ({ signal }) =>
      api.get<Page<Share>>("/api/shares", {
        query: { ...wanted, all: wanted.all ? true : null, limit: PAGE_SIZE, offset: (page - 1) * PAGE_SIZE },
        signal,
      }),
    placeholderData: keepPreviousData,
    refetchInterval: ({ state }) => (state.data?.items.some((share) => share.state === "preparing") === true ? PREPARING_POLL_MS : false),
  });
}

export function accessesQuery(id: string, page: number) {
  return queryOptions({
    queryKey: [...SHARES_KEY, "log", id, page],
    queryFn: ({ signal }) =>
      api.get<Page<Access>>(`/api/shares/${encodeURIComponent(id)}/log`, {
        query: { limit: LOG_PAGE_SIZE, offset: (page - 1) * LOG_PAGE_SIZE },
        signal,
      }),
    placeholderData: keepPreviousData,
    staleTime: 0,
  });
}

export const statisticsQuery = queryOptions({
  queryKey: [...SHARES_KEY, "statistics"],
  queryFn: ({ signal }) => api.get<Statistics>("/api/shares/statistics", { signal }),
});

export function useCreateShare() {
  const refresh = useRefreshShares();
  return useMutation({
    mutationFn: (share: NewShare) => api.post<CreatedShare>("/share/create", share),
    onSuccess: refresh,
  });
}

export function useExtendShare() {
  const refresh = useRefreshShares();
  return useMutation({
    mutationFn: ({ id, edit }: { id: string; edit: ShareEdit }) => api.put<Share>(`/api/shares/${encodeURIComponent(id)}`, edit),
    onSuccess: refresh,
  });
}

export function useCopyAgain() {
  const refresh = useRefreshShares();
  return useMutation({
    mutationFn: ({ id, accept_burned_in }: { id: string; accept_burned_in: boolean }) =>
      api.post<null>(`/api/shares/${encodeURIComponent(id)}/copy`, { accept_burned_in }),
    onSuccess: refresh,
  });
}

export function useRevokeShare() {
  const refresh = useRefreshShares();
  return useMutation({
    mutationFn: (id: string) => api.delete(`/api/shares/${encodeURIComponent(id)}`),
    onSuccess: refresh,
  });
}

function useRefreshShares(): () => Promise<void> {
  const queries = useQueryClient();
  return () => queries.invalidateQueries({ queryKey: SHARES_KEY });
}
