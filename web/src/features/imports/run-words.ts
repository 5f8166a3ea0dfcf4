/** How a run and its outcomes are called on the page. */
import { duration } from "@/lib/format";

import type { ImportRun, RunState } from "./import-api";

export const STATES: Record<RunState, { label: string; color: string }> = {
  queued: { label: "Waiting", color: "gray" },
  running: { label: "Running", color: "petrol" },
  done: { label: "Done", color: "green" },
  failed: { label: "Failed", color: "red" },
  cancelled: { label: "Cancelled", color: "gray" },
  interrupted: { label: "Interrupted", color: "yellow" },
};

/** The figures of a run. */
export const FIGURES = [
  { key: "added", label: "Added" },
  { key: "changed", label: "Changed" },
  { key: "unchanged", label: "Unchanged" },
  { key: "missing", label: "Missing at source" },
  { key: "notDicom", label: "Not DICOM" },
  { key: "failed", label: "Failed" },
] as const;

/** The outcomes that a run lists file by file; unchanged files are counted only. `key` is the figure that counts it. */
export const OUTCOMES = [
  { outcome: "added", key: "added", label: "Added" },
  { outcome: "changed", key: "changed", label: "Changed" },
  { outcome: "missing", key: "missing", label: "Missing at source" },
  { outcome: "not_dicom", key: "notDicom", label: "Not DICOM" },
  { outcome: "failed", key: "failed", label: "Failed" },
  { outcome: "skipped", key: null, label: "Skipped" },
] as const;

/** Per cent done; null as long as the number of files is not known. */
export function percent(run: Pick<ImportRun, "filesSeen" | "filesDone">): number | null {
  if (run.filesSeen <= 0) return null;
  return Math.min(100, (100 * run.filesDone) / run.filesSeen);
}

export function speed(run: Pick<ImportRun, "filesPerSecond" | "etaSeconds">): string {
  const parts: string[] = [];
  if (run.filesPerSecond !== null && run.filesPerSecond > 0) {
    parts.push(`${run.filesPerSecond >= 10 ? Math.round(run.filesPerSecond) : run.filesPerSecond.toFixed(1)} files/s`);
  }
  if (run.etaSeconds !== null) parts.push(`about ${duration(run.etaSeconds)} left`);
  return parts.join(" · ");
}

/** How long a run took or has been going; empty before it began. */
export function took(run: Pick<ImportRun, "startedAt" | "finishedAt">): string {
  if (run.startedAt === null || run.finishedAt === null) return "";
  return duration((Date.parse(run.finishedAt) - Date.parse(run.startedAt)) / 1000);
}

/** A source as people write it: a local folder without the scheme that marks it as one. */
export function sourceName(source: string): string {
  if (!source.startsWith("file://")) return source;
  try {
    return decodeURIComponent(source.slice("file://".length));
  } catch {
    return source.slice("file://".length);
  }
}

/** The sources that the server would accept, when it says so while refusing another one. */
export function acceptedSources(detail: unknown): string[] {
  const sources = typeof detail === "object" && detail !== null && "sources" in detail ? detail.sources : null;
  return Array.isArray(sources) ? sources.filter((source) => typeof source === "string").map(sourceName) : [];
}
