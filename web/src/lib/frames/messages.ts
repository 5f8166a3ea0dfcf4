/** What the page and its frame worker say to each other. */
import type { CacheSettings, Encoding, Manifest } from "@/lib/frames/types";

/** What a stream is asked for; `url` and `body` go out as they are. */
export interface StreamOrder {
  /** Series key, see `seriesKey`. */
  series: string;
  url: string;
  body: unknown;
}

/** One frame by itself, where streams do not come through. */
export interface SingleOrder {
  series: string;
  url: string;
  index: number;
  encoding: Encoding;
}

export interface Failure {
  /** HTTP status; 0 when no answer came, -1 when the stream was cut or out of step. */
  status: number;
  code: string;
  message: string;
  retryAfter: number | null;
}

export interface Opened {
  manifest: Manifest | null;
  /** Indices that the browser has kept, of that manifest's version. */
  kept: number[];
}

export interface Space {
  cachedBytes: number;
  cachedSeries: number;
  canKeep: boolean;
  /** Bytes of frames that the worker may hold in memory. */
  memoryBytes: number;
}

/** Page to worker. `ask` wants an answer of the same number. */
export type ToWorker =
  | { kind: "hello"; owner: string; settings: CacheSettings | null }
  | { kind: "ask"; ask: number; what: "open"; series: string }
  | { kind: "ask"; ask: number; what: "bytes"; series: string; index: number }
  | { kind: "ask"; ask: number; what: "forget"; series: string }
  | { kind: "ask"; ask: number; what: "wipe" }
  | { kind: "manifest"; series: string; manifest: Manifest }
  | { kind: "stream"; id: number; order: StreamOrder }
  | { kind: "single"; id: number; order: SingleOrder }
  | { kind: "abort"; id: number }
  | { kind: "view"; series: string; index: number }
  | { kind: "close"; series: string }
  | { kind: "settings"; settings: CacheSettings }
  /** `failed`: the session could not be asked, because no answer came. */
  | { kind: "token"; ask: number; token: string | null; failed: boolean };

/** Worker to page. */
export type FromWorker =
  | { kind: "answer"; ask: number; value: unknown }
  | { kind: "refused"; ask: number; message: string }
  | { kind: "got"; id: number; indices: number[] }
  | { kind: "broken"; id: number; index: number; status: number; message: string }
  | { kind: "line"; bytes: number; milliseconds: number; frames: number }
  | { kind: "done"; id: number; failure: Failure | null }
  | { kind: "kept"; series: string; indices: number[] }
  /** No longer here: "room" when memory is full and the store takes nothing, "lost" when the store gave it not or wrong. */
  | { kind: "gone"; series: string; indices: number[]; why: "room" | "lost" }
  | { kind: "space"; space: Space }
  | { kind: "token"; ask: number; refused: string | null; isRefusal: boolean };

/** A frame's bytes as the worker hands them out; null when they are not here after all. */
export type BytesAnswer = { encoding: Encoding; data: ArrayBuffer } | null;
