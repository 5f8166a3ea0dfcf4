/** The series of a study, and their small pictures. */
import { queryOptions } from "@tanstack/react-query";

import { ApiError, mayPass, readError } from "@/lib/api/errors";
import { waitBefore } from "@/lib/frames/backoff";
import type { SeriesRef } from "@/lib/frames/types";

import type { Desk } from "./desk";

export type Place = "orthanc" | "nas" | "copy";

export interface SeriesRow {
  seriesUid: string;
  seriesNumber: number | null;
  seriesDescription: string;
  imageCount: number;
  modality: string;
  firstImageUrl: string | null;
  place: Place;
  /** Name of the NAS source; empty elsewhere. */
  source: string;
  /** Another one when the series has other files. */
  version: string;
}

export interface SeriesList {
  series: SeriesRow[];
  etag: string | null;
}

/** How often the list is asked for again while it is looked at: what a modality sends appears by itself. */
const POLL_MS = 10_000;

const VIEWER_KEY = "viewer";

function studyPath(studyUid: string): string {
  return `/api/pacs/studies/${encodeURIComponent(studyUid)}/series/`;
}

/** The list is asked for anew every ten seconds, not while the tab is hidden; as long as nothing changed the answer is a bare 304. */
export function seriesQuery({ client, owner }: Desk, studyUid: string) {
  const queryKey = [VIEWER_KEY, owner, "series", studyUid] as const;
  return queryOptions({
    queryKey,
    queryFn: async ({ signal, client: kept }): Promise<SeriesList> => {
      const before = kept.getQueryData<SeriesList>(queryKey);
      const headers: Record<string, string> = before?.etag == null ? {} : { "If-None-Match": before.etag };
      const response = await client.answer("GET", studyPath(studyUid), { signal, headers });
      if (response.status === 304 && before !== undefined) return before;
      if (!response.ok) throw await readError(response);
      const { series } = (await response.json()) as { series: SeriesRow[] };
      return { series, etag: response.headers.get("ETag") };
    },
    refetchInterval: ({ state }) => (state.status === "error" && state.data === undefined ? false : POLL_MS),
    staleTime: 0,
  });
}

/** Asked for in the loader's queue, so that pictures and frames together never crowd the server. */
export function thumbnailQuery({ client, loader, owner }: Desk, { studyUid, seriesUid }: SeriesRef, version: string) {
  return queryOptions({
    queryKey: [VIEWER_KEY, owner, "thumbnail", studyUid, seriesUid, version],
    queryFn: ({ signal }) =>
      loader.request(async (queued) => {
        const response = await client.raw("GET", `${studyPath(studyUid)}${encodeURIComponent(seriesUid)}/thumbnail`, { signal: queued });
        return response.blob();
      }, signal),
    staleTime: Infinity,
    gcTime: 60_000,
    // Where many are being made the server asks for patience.
    retry: (failures, error) => failures < 4 && (mayPass(error) || (error instanceof ApiError && error.status === 429)),
    retryDelay: (attempt, error) => waitBefore(attempt + 1, error instanceof ApiError ? error.retryAfter : null),
  });
}

/** One name for a series: what it is called, else its number. */
export function seriesName({ seriesDescription, seriesNumber, modality }: Pick<SeriesRow, "seriesDescription" | "seriesNumber" | "modality">): string {
  if (seriesDescription.trim() !== "") return seriesDescription.trim();
  return seriesNumber === null ? `${modality === "" ? "Images" : modality} without a description` : `Series ${seriesNumber}`;
}

export const PLACE_LABELS: Record<Place, string> = { orthanc: "Orthanc", nas: "NAS", copy: "De-identified" };

/** Where a series lies, in a few words. */
export function placeHint({ place, source }: Pick<SeriesRow, "place" | "source">): string {
  if (place === "nas") return `Read straight from ${source === "" ? "the NAS" : source}, not imported`;
  return place === "copy" ? "A de-identified copy" : "Stored in Orthanc";
}
