/** How a run is told: state, phase, progress, time left. */
import { count, duration } from "@/lib/format";

import type { RunState, RunStatus, Tested } from "./nas-api";

export const STATES: Record<RunState, { label: string; color: string }> = {
  queued: { label: "Waiting", color: "gray" },
  running: { label: "Running", color: "petrol" },
  paused: { label: "Paused", color: "yellow" },
  done: { label: "Done", color: "green" },
  failed: { label: "Failed", color: "red" },
  cancelled: { label: "Cancelled", color: "gray" },
  interrupted: { label: "Interrupted", color: "yellow" },
};

const PHASES: Record<string, string> = {
  enumerating: "Looking for files and reading headers",
  reading: "Reading headers",
  paused: "Nothing is read until it is resumed",
  waiting: "Waiting for the source to come back",
  finishing: "Finishing",
};

export function phase({ phase: said, state }: Pick<RunStatus, "phase" | "state">): string {
  if (state === "queued") return "Starting";
  if (state === "paused") return "Nothing is read until it is resumed";
  return PHASES[said] ?? "Running";
}

/** Per cent done; null as long as the number of files is still growing. */
export function percent(run: Pick<RunStatus, "enumerated_files" | "files_processed" | "phase">): number | null {
  if (run.phase === "enumerating" || run.phase === "" || run.enumerated_files <= 0) return null;
  return Math.min(100, (100 * run.files_processed) / run.enumerated_files);
}

/** Speed and time left, as far as they are known. */
export function pace(run: Pick<RunStatus, "files_per_second" | "estimated_completion" | "paused">, now: number): string {
  if (run.paused) return "";
  const parts: string[] = [];
  const speed = run.files_per_second;
  if (speed > 0) parts.push(`${speed >= 10 ? count(Math.round(speed)) : speed.toFixed(1)} files/s`);
  const end = run.estimated_completion === null ? NaN : Date.parse(run.estimated_completion);
  if (end > now) parts.push(`about ${duration((end - now) / 1000)} left`);
  return parts.join(" · ");
}

/** What a connection test measured, in one line. */
export function measured(tested: Tested): string {
  const parts: string[] = [];
  if (tested.latency_ms !== null) parts.push(`answers in ${milliseconds(tested.latency_ms)}`);
  if (tested.throughput_mb_s !== null) parts.push(`${count(Math.round(tested.throughput_mb_s))} MB/s`);
  if (tested.encrypted !== null) parts.push(tested.encrypted ? "encrypted" : "not encrypted");
  return parts.join(" · ");
}

function milliseconds(value: number): string {
  if (value < 0.1) return "under 0.1 ms";
  return `${value < 10 ? value.toFixed(1) : count(Math.round(value))} ms`;
}

const KINDS: Record<string, string> = {
  network: "Network",
  authentication: "Sign-in",
  filesystem: "Files",
  dicom: "DICOM",
  system: "System",
};

/** The kind of an error in a person's word. */
export function errorKind(type: string): string {
  return KINDS[type] ?? "Error";
}
