/**
 * Files on their way to the server: two at a time, each in pieces, taken up again wherever the server has got to.
 *
 * A pure core: server, storage, clock and line are handed in, so tests need no browser.
 */
import { ApiError, mayPass, NetworkError } from "@/lib/api/errors";

import type { Line } from "./connection";
import type { Modality } from "./imaging-api";
import { fingerprintOf, type KeptUploads } from "./kept-uploads";
import { coveredBytes, firstGap, PieceSize, type ByteRange } from "./ranges";
import type { UploadServer } from "./upload-server";

/** `waiting`: the line or the server is away; it goes on by itself. */
export type UploadState = "queued" | "sending" | "waiting" | "paused" | "finishing" | "done" | "failed";

/** What is to be filed, and where. */
export interface Filing {
  file: File;
  mimeType: string;
  modality: Modality;
  patientId: number;
  studyId: number;
  studyWords: string;
  capturedAt?: string;
}

export interface Upload extends Filing {
  id: number;
  state: UploadState;
  sentBytes: number;
  error: Error | null;
  assetId: number | null;
  uploadId: string | null;
}

export interface UploadParts {
  server: UploadServer;
  kept: KeptUploads;
  user: () => string;
  hash: (file: File) => Promise<string | null>;
  /** Milliseconds that only grow. */
  now: () => number;
  wait: (milliseconds: number) => Promise<void>;
  line: { get: () => Line; subscribe: (listener: () => void) => () => void; doubt: () => void; heard: () => void };
  onDone: (upload: Upload) => void;
}

const AT_ONCE = 2;

/** Tries without any progress before a person is asked. */
const MOST_TRIES = 6;

const LONGEST_WAIT_MS = 30_000;

export class FileUnreadable extends Error {
  override readonly name = "FileUnreadable";
}

export class UploadQueue {
  private uploads: readonly Upload[] = [];
  private nextId = 1;
  private readonly stops = new Map<number, AbortController>();
  private readonly listeners = new Set<() => void>();

  constructor(private readonly parts: UploadParts) {}

  readonly get = (): readonly Upload[] => this.uploads;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  /** True while something would be lost, or at least stop, with the page. */
  isBusy(): boolean {
    return this.uploads.some(({ state }) => state !== "done" && state !== "failed");
  }

  /** `uploadId` takes up what was begun before. */
  add(filings: readonly (Filing & { uploadId?: string; sentBytes?: number })[]): void {
    const fresh = filings.map((filing): Upload => {
      const begun = { uploadId: filing.uploadId ?? null, sentBytes: filing.sentBytes ?? 0 };
      return { ...filing, ...begun, id: this.nextId++, state: "queued", error: null, assetId: null };
    });
    this.become([...this.uploads, ...fresh]);
    this.pump();
  }

  pause(id: number): void {
    this.stop(id);
    this.change(id, { state: "paused" });
    this.pump();
  }

  /** After a pause, or after a failure that trying again may mend. */
  resume(id: number): void {
    this.change(id, { state: "queued", error: null });
    this.pump();
  }

  /** Takes it off the list; what the server has of it is thrown away, unless it is filed. */
  remove(id: number): void {
    const upload = this.find(id);
    this.stop(id);
    this.become(this.uploads.filter((each) => each.id !== id));
    if (upload?.uploadId != null && upload.state !== "done") this.abandon(upload.uploadId);
    this.pump();
  }

  /** Throws away what the server has of an upload that nobody goes on with. */
  abandon(uploadId: string): void {
    this.parts.kept.forget(uploadId);
    // The server forgets it by itself after a while: nothing depends on this answer.
    this.parts.server.drop(uploadId).catch(() => undefined);
    // What is kept is part of what is shown.
    this.become([...this.uploads]);
  }

  clearDone(): void {
    this.become(this.uploads.filter(({ state }) => state !== "done"));
  }

  /** Signed out: stops all and forgets the files; the server keeps what it has for the same person's next time. */
  leave(): void {
    for (const { id } of this.uploads) this.stop(id);
    this.become([]);
  }

  private pump(): void {
    for (const { id, state } of this.uploads) {
      if (this.stops.size >= AT_ONCE) return;
      if (state === "queued") {
        const stop = new AbortController();
        this.stops.set(id, stop);
        void this.run(id, stop.signal).finally(() => {
          if (this.stops.get(id) === stop) this.stops.delete(id);
          this.pump();
        });
      }
    }
  }

  private stop(id: number): void {
    this.stops.get(id)?.abort();
    this.stops.delete(id);
  }

  private async run(id: number, signal: AbortSignal): Promise<void> {
    const effort = { tries: 0 };
    while (!signal.aborted) {
      try {
        this.change(id, { state: "sending" });
        await this.deliver(id, signal, effort);
        return;
      } catch (error) {
        if (isOver(signal)) return;
        effort.tries += 1;
        if (!(await this.mayGoOn(id, error as Error, effort, signal))) return;
      }
    }
  }

  /** From wherever the server has got to, to the end. */
  private async deliver(id: number, signal: AbortSignal, effort: { tries: number }): Promise<void> {
    const { file } = this.must(id);
    const { uploadId, received: known, most, assetId } = await this.opened(id, signal);
    if (signal.aborted) return;
    if (assetId !== null) {
      this.end(id, uploadId, assetId);
      return;
    }
    const size = new PieceSize(most);
    let received = known;
    this.change(id, { state: "sending", sentBytes: coveredBytes(received) });
    for (let gap = firstGap(received, file.size, size.get()); gap !== null; gap = firstGap(received, file.size, size.get())) {
      const began = this.parts.now();
      const bytes = await read(file, gap);
      ({ received } = await this.parts.server.send(uploadId, gap[0], bytes, signal));
      if (isOver(signal)) return;
      size.took(this.parts.now() - began);
      effort.tries = 0;
      this.parts.line.heard();
      this.progress(id, uploadId, coveredBytes(received));
    }
    this.change(id, { state: "finishing" });
    const hash = await unreadableSaid(this.parts.hash(file));
    const filed = await this.parts.server.complete(uploadId, file.size, hash);
    // Filed is filed, even if somebody pressed pause at the last moment.
    this.end(id, uploadId, filed.assetId);
  }

  private async opened(id: number, signal: AbortSignal) {
    const upload = this.must(id);
    const { user, kept, server } = this.parts;
    const { file, patientId, studyId, studyWords } = upload;
    if (upload.uploadId !== null) {
      const { state, received, assetId } = await server.look(upload.uploadId);
      if (state === "refused") throw new ApiError(404, "upload_refused", "The server refused this file before.");
      return { uploadId: upload.uploadId, received, most: RESUMED_PIECE, assetId: state === "done" ? (assetId ?? null) : null };
    }
    const { modality, mimeType, capturedAt } = upload;
    const place = { patientId, studyId, modality, mimeType, ...(capturedAt === undefined ? {} : { capturedAt }) };
    const begun = await server.begin({ ...place, totalBytes: file.size, fileName: file.name });
    if (signal.aborted && this.find(id) === undefined) {
      this.abandon(begun.uploadId);
    } else {
      this.change(id, { uploadId: begun.uploadId });
      const facts = { ...place, studyWords, fingerprint: fingerprintOf(file), fileName: file.name, sizeBytes: file.size };
      kept.keep({ ...facts, user: user(), uploadId: begun.uploadId, receivedBytes: 0, expiresAt: begun.expiresAt });
    }
    return { uploadId: begun.uploadId, received: [] as ByteRange[], most: begun.chunkBytes, assetId: null };
  }

  /** After a failure: false when the upload has ended with it. */
  private async mayGoOn(id: number, error: Error, effort: { tries: number }, signal: AbortSignal): Promise<boolean> {
    const upload = this.must(id);
    if (isLost(error) && upload.uploadId !== null && effort.tries <= MOST_TRIES) {
      // From the start, then.
      this.abandon(upload.uploadId);
      this.change(id, { uploadId: null, sentBytes: 0 });
      return true;
    }
    const passes = mayPass(error) || (error instanceof ApiError && (error.status === 429 || PASSING.has(error.code)));
    if (!passes || effort.tries > MOST_TRIES) {
      if (!mayBeMended(error) && upload.uploadId !== null) this.abandon(upload.uploadId);
      this.change(id, { state: "failed", error, ...(mayBeMended(error) ? {} : { uploadId: null, sentBytes: 0 }) });
      return false;
    }
    this.change(id, { state: "waiting", error });
    if (error instanceof NetworkError) {
      this.parts.line.doubt();
      // Time for the doubt to be settled; after that, as long as it takes.
      await this.parts.wait(1_000);
      if (this.parts.line.get() !== "up") effort.tries = 0;
      await this.lineIsUp(signal);
    } else {
      const asked = error instanceof ApiError && error.retryAfter !== null ? error.retryAfter * 1_000 : 1_000 * 2 ** effort.tries;
      await this.parts.wait(Math.min(asked, LONGEST_WAIT_MS));
    }
    return !signal.aborted;
  }

  private lineIsUp(signal: AbortSignal): Promise<void> {
    const { line } = this.parts;
    return new Promise((resolve) => {
      const look = () => {
        if (line.get() !== "up" && !signal.aborted) return;
        unsubscribe();
        signal.removeEventListener("abort", look);
        resolve();
      };
      const unsubscribe = line.subscribe(look);
      signal.addEventListener("abort", look);
      look();
    });
  }

  private progress(id: number, uploadId: string, sentBytes: number): void {
    const { kept, user } = this.parts;
    const upload = this.must(id);
    const before = kept.find(user(), upload.patientId, fingerprintOf(upload.file));
    if (before?.uploadId === uploadId) kept.keep({ ...before, receivedBytes: sentBytes });
    this.change(id, { state: "sending", sentBytes, error: null });
  }

  private end(id: number, uploadId: string, assetId: number): void {
    this.parts.kept.forget(uploadId);
    const upload = this.find(id);
    if (upload === undefined) return;
    const done: Upload = { ...upload, state: "done", error: null, assetId, sentBytes: upload.file.size };
    this.change(id, done);
    this.parts.line.heard();
    this.parts.onDone(done);
  }

  private find(id: number): Upload | undefined {
    return this.uploads.find((each) => each.id === id);
  }

  private must(id: number): Upload {
    const upload = this.find(id);
    if (upload === undefined) throw new Error(`No upload ${id}.`);
    return upload;
  }

  private change(id: number, change: Partial<Upload>): void {
    this.become(this.uploads.map((each) => (each.id === id ? { ...each, ...change } : each)));
  }

  private become(uploads: readonly Upload[]): void {
    this.uploads = uploads;
    for (const listener of this.listeners) listener();
  }
}

/** Asked again after each wait: TypeScript believes that what was false stays so. */
function isOver(signal: AbortSignal): boolean {
  return signal.aborted;
}

/** What an upload that is taken up again sends at most at once; the server's own word was said when it began. */
const RESUMED_PIECE = 1024 * 1024;

/** Another tab or an answer that was lost: what the server says next is looked at anew. */
const PASSING = new Set(["upload_closed", "upload_incomplete"]);

/** Whether what the server has is of no use any more: forgotten, gone, or of a file that has changed since. */
function isLost(error: Error): boolean {
  return error instanceof ApiError && (error.status === 404 || error.code === "upload_lost" || error.code === "upload_differs");
}

/** Whether the same file may be taken when it is sent once more: not when it is the file that was refused. */
export function mayBeMended(error: Error): boolean {
  return !(error instanceof ApiError && [400, 413, 415, 422].includes(error.status)) && !(error instanceof FileUnreadable);
}

/** Into memory first: a file that was moved fails here, and not as if the line were cut. */
async function read(file: File, [start, stop]: ByteRange): Promise<Blob> {
  const bytes = await unreadableSaid(file.slice(start, stop).arrayBuffer());
  return new Blob([bytes]);
}

async function unreadableSaid<T>(reading: Promise<T>): Promise<T> {
  try {
    return await reading;
  } catch (cause) {
    throw new FileUnreadable("The file cannot be read: it was changed or moved, or its disk is away.", { cause });
  }
}
