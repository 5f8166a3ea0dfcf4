/** A clinic's pictures as the server files them: studies with their assets, and what can be done with one. */
import { keepPreviousData, queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";

import { api } from "@/lib/api";
import { ApiError, mayPass } from "@/lib/api/errors";
import type { Page } from "@/lib/api/types";

export type Modality = "XRAY" | "PHOTO" | "DOC";
export type Variant = "original" | "web" | "thumb";

export interface Asset {
  id: number;
  studyId: number;
  patientId: number;
  modality: Modality;
  mimeType: string;
  sizeBytes: number;
  sha256: string;
  fileName: string | null;
  width: number | null;
  height: number | null;
  capturedAt: string;
  sourceDevice: string | null;
  createdAt: string;
  thumbUrl: string | null;
  webUrl: string | null;
  originalUrl: string;
  dicomInstanceId: string | null;
}

export interface Study {
  id: number;
  patientId: number;
  kind: string;
  title: string | null;
  capturedAt: string;
  source: string | null;
  createdAt: string;
  assets: Asset[];
}

/** What the server takes, said before anything is sent. */
export interface Limits {
  maxBytes: number;
  accepted: string[];
}

export interface NewStudy {
  patientId: number;
  kind: string;
  title?: string;
  capturedAt?: string;
  source: string;
}

export const PAGE_SIZE = 20;

/** Enough studies for a dozen patients on the start page. */
const LATEST = 60;

export const IMAGING_KEY = "imaging";
export const STUDIES_KEY = [IMAGING_KEY, "studies"];

export function patientQuery(patientId: number, page: number) {
  return queryOptions({
    queryKey: [...STUDIES_KEY, patientId, page],
    queryFn: ({ signal }) =>
      api.get<Page<Study>>("/imaging/studies", { query: { patientId, limit: PAGE_SIZE, offset: (page - 1) * PAGE_SIZE }, signal }),
    placeholderData: keepPreviousData,
  });
}

export const latestQuery = queryOptions({
  queryKey: [...STUDIES_KEY, "latest"],
  queryFn: ({ signal }) => api.get<Page<Study>>("/imaging/studies", { query: { limit: LATEST }, signal }),
});

export const limitsQuery = queryOptions({
  queryKey: [IMAGING_KEY, "limits"],
  queryFn: ({ signal }) => api.get<Limits>("/imaging/limits", { signal }),
  staleTime: Infinity,
});

/** The bytes of a variant. They need the session's token, so they come by fetch and not by an address in the page. */
export function pictureQuery(assetId: number, variant: Variant) {
  return queryOptions({
    queryKey: [IMAGING_KEY, "picture", assetId, variant],
    queryFn: async ({ signal }) => {
      const answer = await api.raw("GET", `/imaging/assets/${assetId}`, { query: { variant }, signal });
      return answer.blob();
    },
    // A variant never changes; the large ones are not kept for long.
    staleTime: Infinity,
    gcTime: variant === "thumb" ? 300_000 : 30_000,
    // A picture that is just being made again answers 503 for a moment, and 429 where many are.
    retry: (failures, error) => failures < 3 && error instanceof ApiError && (mayPass(error) || error.status === 429),
  });
}

export function useMakeStudy() {
  const refresh = useRefreshStudies();
  return useMutation({
    mutationFn: (study: NewStudy) => api.post<{ studyId: number }>("/imaging/studies", study),
    onSuccess: refresh,
  });
}

export function useDeleteAsset() {
  const refresh = useRefreshStudies();
  return useMutation({
    mutationFn: (assetId: number) => api.delete(`/imaging/assets/${assetId}`),
    // Not waited for: first the viewer goes on to another picture, then this one leaves the list.
    onSuccess: () => void refresh(),
  });
}

export function useMakeDicom() {
  const refresh = useRefreshStudies();
  return useMutation({
    mutationFn: (assetId: number) => api.post<{ orthancId: string }>(`/imaging/assets/${assetId}/dicom`, {}),
    onSuccess: refresh,
  });
}

export function useRefreshStudies(): () => Promise<void> {
  const queries = useQueryClient();
  return () => queries.invalidateQueries({ queryKey: STUDIES_KEY });
}
