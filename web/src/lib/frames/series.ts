/** One series on its way: which frames are here, which are wanted next, and what React reads of it. */
import { frameBytes, seriesKey } from "@/lib/frames/describe";
import { type Direction, NEAR, wantedOrder } from "@/lib/frames/order";
import type { FrameBytes, LoadError, LoadState, Manifest, SeriesLoad, SeriesRef } from "@/lib/frames/types";

/** Why a frame's bytes cannot be had. */
export class LoadProblem extends Error {
  override readonly name = "LoadProblem";

  constructor(
    message: string,
    readonly status: number,
  ) {
    super(message);
  }
}

/** What the series asks of the loader that it belongs to. */
export interface SeriesHost {
  fetchBytes: (series: Series, index: number) => Promise<FrameBytes | null>;
  wake: () => void;
  soon: (run: () => void) => void;
}

export interface ActiveStream {
  id: number;
  /** Ordered and not here yet, in the order in which they will come. */
  due: Set<number>;
  startedAt: number;
  delivered: number;
  stale: boolean;
  /** Ordered for a slow line. */
  isPacked: boolean;
}

interface Waiter {
  resolve: () => void;
  reject: (problem: LoadProblem) => void;
}

export class Series implements SeriesLoad {
  readonly key: string;
  manifest: Manifest | null = null;
  error: LoadError | null = null;
  loaded = 0;
  fromCache = 0;
  revision = 0;

  /** Frame on the screen, or where loading begins. */
  current = 0;
  direction: Direction = 0;
  isViewed = false;
  isOffline = false;
  isManifestDue = true;
  isManifestRunning = false;
  /** Memory is full and the store takes nothing: only what lies around the screen is wanted. */
  most = Infinity;
  opened = 0;
  failures = 0;
  /** Streams that broke in a row, without a frame in between. */
  brokenStreams = 0;
  notBefore = 0;
  /** False once the server failed to pack a frame for a slow line: the rest comes as stored. */
  mayPack = true;
  readonly streams = new Map<number, ActiveStream>();

  private here = new Uint8Array(0);
  private kept = new Uint8Array(0);
  private readonly problems = new Map<number, LoadError>();
  private readonly waiters = new Map<number, Set<Waiter>>();
  private readonly listeners = new Set<() => void>();
  private isTelling = false;
  private first: ((manifest: Manifest) => number) | null = null;

  constructor(
    readonly ref: SeriesRef,
    private readonly host: SeriesHost,
  ) {
    this.key = seriesKey(ref);
  }

  get total(): number {
    return this.manifest?.frameCount ?? 0;
  }

  get state(): LoadState {
    if (this.error !== null) return "error";
    if (this.manifest !== null && this.loaded + this.problems.size >= this.total) return "complete";
    if (this.isOffline) return "offline";
    if (this.manifest === null) return this.isManifestRunning ? "manifest" : "waiting";
    return this.streams.size > 0 || this.isViewed ? "loading" : "waiting";
  }

  has(index: number): boolean {
    return this.here[index] === 1;
  }

  isKept(index: number): boolean {
    return this.kept[index] === 1;
  }

  failure(index: number): LoadError | null {
    return this.problems.get(index) ?? null;
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  async bytes(index: number, signal?: AbortSignal): Promise<FrameBytes> {
    for (;;) {
      signal?.throwIfAborted();
      const problem = this.problems.get(index);
      if (problem !== undefined) throw new LoadProblem(problem.message, problem.status);
      if (this.has(index)) {
        const bytes = await this.host.fetchBytes(this, index);
        if (bytes !== null) return bytes;
        this.drop([index]);
        continue;
      }
      if (this.error !== null) throw new LoadProblem(this.error.message, this.error.status);
      await this.arrival(index, signal);
    }
  }

  /** The frames wanted next, nearest first, without those that are on their way. */
  missing(limit: number): number[] {
    const due = new Set<number>();
    for (const stream of this.streams.values()) if (!stream.stale) for (const index of stream.due) due.add(index);
    const out: number[] = [];
    const want = (index: number) => {
      if (index < this.total && !this.has(index) && !this.problems.has(index) && !due.has(index)) {
        due.add(index);
        out.push(index);
      }
    };
    const inTrouble = [...this.waiters.keys()];
    if (inTrouble.length <= 2 * NEAR + 1) {
      if (this.total > 0) want(this.current);
      inTrouble.forEach(want);
    }
    let seen = 0;
    for (const index of wantedOrder(this.total, this.current, this.direction)) {
      if (out.length >= limit || seen >= this.most) break;
      seen += 1;
      want(index);
    }
    return out;
  }

  /** It is for the screen: loading begins there, as soon as the manifest says where that is. */
  beginAt(first: (manifest: Manifest) => number): void {
    this.isViewed = true;
    this.first = first;
  }

  /** True when what the screen needs next is not on its way, or lies far back in what is. */
  needsAim(patience: number): boolean {
    const near: number[] = [];
    for (const index of wantedOrder(this.total, this.current, this.direction)) {
      if (near.length > 2 * NEAR) break;
      near.push(index);
    }
    const wanted = near.find((index) => !this.has(index) && !this.problems.has(index));
    if (wanted === undefined) return false;
    for (const stream of this.streams.values()) {
      if (stream.stale) continue;
      let place = 0;
      for (const index of stream.due) {
        if (index === wanted) return false;
        place += 1;
        if (place >= patience) break;
      }
    }
    return true;
  }

  take(manifest: Manifest): void {
    this.manifest = manifest;
    this.here = new Uint8Array(manifest.frameCount);
    this.kept = new Uint8Array(manifest.frameCount);
    this.problems.clear();
    this.loaded = 0;
    this.fromCache = 0;
    this.most = Infinity;
    this.current = Math.min(this.first?.(manifest) ?? this.current, Math.max(0, manifest.frameCount - 1));
    this.first = null;
    for (const index of this.waiters.keys()) {
      if (index >= manifest.frameCount) this.settle(index, new LoadProblem("The series has fewer pictures now.", 404));
    }
    this.changedNow();
  }

  /** These frames are here. */
  arrived(indices: readonly number[], from: "line" | "store"): void {
    for (const index of indices) {
      if (index >= this.total || this.here[index] === 1) continue;
      this.here[index] = 1;
      this.loaded += 1;
      if (from === "store") {
        this.fromCache += 1;
        this.kept[index] = 1;
      }
      this.settle(index, null);
    }
    if (this.state === "complete") this.changedNow();
    else this.changed();
  }

  keptNow(indices: readonly number[]): void {
    for (const index of indices) if (index < this.total) this.kept[index] = 1;
    this.changed();
  }

  /** These frames are no longer here. */
  drop(indices: readonly number[]): void {
    for (const index of indices) {
      if (this.here[index] === 1) this.loaded -= 1;
      if (index < this.total) this.here[index] = this.kept[index] = 0;
    }
    this.changed();
    this.host.wake();
  }

  /** Frames that the memory may hold when the store takes nothing. */
  limitTo(bytes: number): void {
    if (this.manifest === null) return;
    this.most = Math.max(2 * NEAR + 1, Math.floor((0.8 * bytes) / Math.max(1, frameBytes(this.manifest, this.current))));
  }

  broken(index: number, problem: LoadError): void {
    this.problems.set(index, problem);
    this.settle(index, new LoadProblem(problem.message, problem.status));
    this.changed();
  }

  fail(error: LoadError): void {
    this.error = error;
    for (const index of [...this.waiters.keys()]) this.settle(index, new LoadProblem(error.message, error.status));
    this.changedNow();
  }

  /** A new try: what failed is wanted again. */
  forgive(): void {
    this.error = null;
    this.isOffline = false;
    this.failures = this.brokenStreams = 0;
    this.notBefore = 0;
    this.problems.clear();
    this.changed();
  }

  /** Tells the subscribers, together with what else happens at this time. */
  changed(): void {
    if (this.isTelling) return;
    this.isTelling = true;
    this.host.soon(() => {
      this.isTelling = false;
      this.tell();
    });
  }

  /** Tells them at once, but not in the middle of what is going on: a screen waits for this. */
  private changedNow(): void {
    queueMicrotask(() => this.tell());
  }

  private tell(): void {
    this.revision += 1;
    for (const listener of [...this.listeners]) listener();
  }

  private arrival(index: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const waiters = this.waiters.get(index) ?? new Set<Waiter>();
      this.waiters.set(index, waiters);
      const leave = () => {
        waiters.delete(waiter);
        if (waiters.size === 0) this.waiters.delete(index);
        signal?.removeEventListener("abort", aborted);
      };
      const aborted = () => {
        leave();
        reject(signal?.reason as Error);
      };
      const waiter: Waiter = {
        resolve: () => {
          leave();
          resolve();
        },
        reject: (problem) => {
          leave();
          reject(problem);
        },
      };
      waiters.add(waiter);
      signal?.addEventListener("abort", aborted, { once: true });
      this.host.wake();
    });
  }

  private settle(index: number, problem: LoadProblem | null): void {
    for (const waiter of [...(this.waiters.get(index) ?? [])]) {
      if (problem === null) waiter.resolve();
      else waiter.reject(problem);
    }
  }
}
