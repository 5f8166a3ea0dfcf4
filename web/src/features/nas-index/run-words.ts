/** How a run is told: state, phase, progress, time left. */
import { count, duration, plural } from "@/lib/format";

import type { RunState, RunStatus } from "./runs-api";
import type { Tested } from "./sources-api";
import type { Told } from "./use-site-time";

interface Shown {
  label: string;
  color: string;
}

const STATES: Record<RunState, Shown> = {
  queued: { label: "Waiting", color: "gray" },
  running: { label: "Running", color: "petrol" },
  paused: { label: "Paused", color: "yellow" },
  done: { label: "Done", color: "green" },
  failed: { label: "Failed", color: "red" },
  cancelled: { label: "Cancelled", color: "gray" },
  interrupted: { label: "Interrupted", color: "yellow" },
  offline: { label: "Source offline", color: "red" },
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

/** Whether the run waits for a source that went away. */
export function isWaiting(run: Pick<RunStatus, "running" | "phase">): boolean {
  return run.running && run.phase === "waiting";
}

/** Whether so many files were missing that the run took nothing out: the source's own error says so, and names the way out. */
export function hasLost(run: Pick<RunStatus, "running" | "recent_errors">): boolean {
  return !run.running && run.recent_errors.some(({ file_path: path, suggestion }) => path === null && suggestion.includes("accept_loss"));
}

/** How the state stands on a badge; a run that waits for its source is told apart from one that works. */
export function stateOf(run: Pick<RunStatus, "running" | "phase" | "state">): Shown {
  return isWaiting(run) ? { label: "Waits for source", color: "yellow" } : STATES[run.state ?? "queued"];
}

/** Whether `resume` starts it again: it goes on where it stopped. */
export function mayGoOn({ paused, state }: Pick<RunStatus, "paused" | "state">): boolean {
  return paused || state === "interrupted" || state === "cancelled" || state === "offline" || state === "failed";
}

/** Per cent done; null as long as nobody knows how many files there will be. */
export function percent(
  run: Pick<RunStatus, "enumerated_files" | "files_processed" | "phase" | "files_per_second" | "estimated_completion">,
  now: number,
): number | null {
  const { enumerated_files: found, files_processed: done } = run;
  if (run.phase !== "enumerating" && run.phase !== "") return found > 0 ? Math.min(100, (100 * done) / found) : null;
  // While files are still being found, the server foretells an end only where an earlier run counted them.
  const left = secondsLeft(run, now);
  const total = left === null ? 0 : done + left * run.files_per_second;
  return total > 0 ? Math.min(99, (100 * done) / total) : null;
}

function secondsLeft({ estimated_completion: end }: Pick<RunStatus, "estimated_completion">, now: number): number | null {
  const seconds = end === null ? NaN : (Date.parse(end) - now) / 1000;
  return seconds > 0 ? seconds : null;
}

/** Speed and time left, as far as they are known; nothing while the run rests or waits. */
export function pace(run: Pick<RunStatus, "files_per_second" | "estimated_completion" | "paused" | "phase">, now: number): string {
  if (run.paused || run.phase === "waiting") return "";
  const parts: string[] = [];
  const speed = run.files_per_second;
  if (speed > 0) parts.push(`${speed >= 10 ? count(Math.round(speed)) : speed.toFixed(1)} files/s`);
  const left = secondsLeft(run, now);
  if (left !== null) parts.push(`about ${duration(left)} left`);
  return parts.join(" · ");
}

/** What a screen reader is told of a run: its state, and every tenth of the way; not each new figure. */
export function announced(run: RunStatus, now: number): string {
  const name = run.source ?? "the source";
  if (!run.running) return `Run over ${name}: ${STATES[run.state ?? "done"].label}.`;
  const done = percent(run, now);
  const far = done === null || run.paused || isWaiting(run) ? "" : `, ${Math.floor(done / 10) * 10} per cent done`;
  return `Run over ${name}: ${phase(run)}${far}.`;
}

/** How long a run took; empty while it goes on. */
export function took({ started_at: start, finished_at: end }: Pick<RunStatus, "started_at" | "finished_at">): string {
  return start === null || end === null ? "" : duration((Date.parse(end) - Date.parse(start)) / 1000);
}

/** When a run was started, by whom, how long it took. */
export function ending(run: RunStatus, told: Told): string {
  const who = run.started_by === "" ? "" : ` by ${run.started_by}`;
  return `${told(run.started_at)}${who}${took(run) === "" ? "" : `, took ${took(run)}`}`;
}

/** `1,200 of 5,000 files`, with what limits them. */
export function filesDone(run: RunStatus): string {
  const soFar = run.phase === "enumerating" && run.running ? " found so far" : "";
  const limit = run.limit > 0 ? ` (limited to ${count(run.limit)})` : "";
  return `${count(run.files_processed)} of ${plural(run.enumerated_files, "file")}${soFar}${limit}`;
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

/** The kinds of errors, by the API's word. */
export const ERROR_KINDS: Record<string, string> = {
  network: "Network",
  authentication: "Sign-in",
  filesystem: "Files",
  dicom: "DICOM",
  system: "System",
};

/** The kind of an error in a person's word. */
export function errorKind(type: string): string {
  return ERROR_KINDS[type] ?? "Error";
}
