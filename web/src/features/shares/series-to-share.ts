/** What can be shared: one series, or the series of a study, out of the NAS index and out of Orthanc. */
import { queryOptions } from "@tanstack/react-query";

import { api } from "@/lib/api";
import { ApiError } from "@/lib/api/errors";

import type { SeriesFacts } from "./share-api";

export interface ShareableSeries {
  /** What the server is asked for: the UID, or the SeriesKey of a series that has none. */
  key: string;
  facts: SeriesFacts;
  /** Name of the NAS source; "" for Orthanc. */
  source: string;
  isOnline: boolean;
  fileCount: number;
  /** Not known of what lies in Orthanc alone. */
  sizeBytes: number | null;
}

/** What we read of an answer of the NAS index. */
interface Indexed extends SeriesFacts {
  SeriesKey: string;
  SeriesInstanceUID: string;
  StudyInstanceUID: string;
  source: string;
  source_online: boolean;
  in_orthanc: boolean;
  file_count: number;
  size_bytes: number;
}

const UID = /^\d+(\.\d+)+$/;

/** A study has rarely more than some dozen series. */
const MOST_SERIES = 200;

/** By SeriesKey or SeriesInstanceUID; [] when there is none. */
export function seriesByKeyQuery(key: string) {
  return queryOptions({
    queryKey: ["shareable", "series", key],
    queryFn: async ({ signal }) => {
      if (!UID.test(key)) {
        const found = await orNothing(api.get<Indexed>(`/api/series/${encodeURIComponent(key)}`, { query: { files_limit: 0 }, signal }), null);
        return found === null ? [] : [fromIndex(found)];
      }
      return together(key, "SeriesInstanceUID", signal);
    },
  });
}

/** All series of a study, by number. */
export function seriesOfStudyQuery(studyUid: string) {
  return queryOptions({
    queryKey: ["shareable", "study", studyUid],
    queryFn: ({ signal }) => (UID.test(studyUid) ? together(studyUid, "StudyInstanceUID", signal) : []),
  });
}

async function together(uid: string, attribute: "SeriesInstanceUID" | "StudyInstanceUID", signal: AbortSignal): Promise<ShareableSeries[]> {
  const [indexed, stored] = await Promise.all([
    orNothing(api.get<{ results: Indexed[] }>("/api/search", { query: { q: uid, limit: MOST_SERIES }, signal }), { results: [] }),
    orNothing(api.get<DicomJson[]>("/dicom-web/series", { query: { [attribute]: uid, limit: MOST_SERIES, includefield: FIELDS }, signal }), []),
  ]);
  const known = indexed.results.filter((each) => each[attribute] === uid).map(fromIndex);
  const keys = new Set(known.map(({ key }) => key));
  const others = stored.map(fromDicomWeb).filter(({ key }) => key !== "" && !keys.has(key));
  return [...known, ...others].sort((a, b) => Number(a.facts.SeriesNumber ?? 0) - Number(b.facts.SeriesNumber ?? 0));
}

/** Who may not search there, or finds nothing, finds nothing. */
async function orNothing<T>(asked: Promise<T>, nothing: T): Promise<T> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof ApiError && (error.status === 403 || error.status === 404)) return nothing;
    throw error;
  }
}

function fromIndex(found: Indexed): ShareableSeries {
  return {
    key: found.SeriesInstanceUID === "" ? found.SeriesKey : found.SeriesInstanceUID,
    facts: found,
    source: found.in_orthanc ? "" : found.source,
    isOnline: found.in_orthanc || found.source_online,
    fileCount: found.file_count,
    sizeBytes: found.size_bytes,
  };
}

/** DICOM JSON (PS3.18 annex F), as far as a list of series has it. */
type DicomJson = Partial<Record<string, { Value?: (string | number | { Alphabetic?: string; Ideographic?: string; Phonetic?: string } | null)[] }>>;

const TAGS = {
  PatientName: "00100010",
  PatientID: "00100020",
  StudyDate: "00080020",
  StudyDescription: "00081030",
  SeriesDescription: "0008103E",
  SeriesNumber: "00200011",
  Modality: "00080060",
} as const;
const FIELDS = Object.values(TAGS).join(",");

export function fromDicomWeb(found: DicomJson): ShareableSeries {
  const facts = Object.fromEntries(Object.entries(TAGS).map(([keyword, tag]) => [keyword, text(found[tag])]));
  return { key: text(found["0020000E"]), facts, source: "", isOnline: true, fileCount: Number(text(found["00201209"])), sizeBytes: null };
}

function text(attribute: DicomJson[string]): string {
  const value = attribute?.Value?.[0] ?? "";
  if (typeof value !== "object") return String(value);
  const groups = [value.Alphabetic ?? "", value.Ideographic ?? "", value.Phonetic ?? ""];
  return groups.join("=").replace(/=+$/, "");
}
