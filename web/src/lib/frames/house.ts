/** The frame worker's work: streams in, frames checked, held and kept, bytes out. The worker's shell is frame-worker.ts. */
import { ApiClient, type TokenSource } from "@/lib/api/client";
import { NetworkError } from "@/lib/api/errors";
import { crc32 } from "@/lib/frames/crc32";
import { asFailure } from "@/lib/frames/failure";
import { FrameMemory } from "@/lib/frames/memory";
import type { Failure, FromWorker, SingleOrder, StreamOrder, ToWorker } from "@/lib/frames/messages";
import { Breath, News, Pace } from "@/lib/frames/news";
import { Pull } from "@/lib/frames/pull";
import { type BrokenRecord, type FrameRecord, RecordReader, StreamBroken } from "@/lib/frames/records";
import type { Shelf } from "@/lib/frames/shelf";
import { Writer } from "@/lib/frames/writer";

/** Frames of this size together are held in memory: a CT of 400 slices as it comes, and the page stays far below 500 MB. */
export const MEMORY_BYTES = 224 * 1024 ** 2;
/** While streams run, what they bring waits in memory up to this share of it before it is written. */
const WRITE_ABOVE = 0.9;
const WRITE_AFTER_MS = 400;
/** Who turned the wheel so lately is still turning it: nothing is written meanwhile. */
const TURNING_MS = 600;

export interface HouseParts {
  tell: (message: FromWorker, transfer?: Transferable[]) => void;
  fetch: (path: string, init: RequestInit) => Promise<Response>;
  now: () => number;
  shelf: (owner: string) => Shelf;
  memoryBytes?: number;
}

export class FrameHouse {
  private readonly memory: FrameMemory;
  private readonly client: ApiClient;
  private readonly running = new Map<number, AbortController>();
  private readonly tokenAsks = new Map<number, (said: { token: string | null; failed: boolean }) => void>();
  private readonly versions = new Map<string, string>();
  private shelf: Promise<Shelf> | null = null;
  private writer: Writer | null = null;
  private asks = 0;
  private viewedAt = -Infinity;
  private rest: ReturnType<typeof setTimeout> | null = null;

  constructor(private readonly parts: HouseParts) {
    this.memory = new FrameMemory(parts.memoryBytes ?? MEMORY_BYTES);
    const tokens: TokenSource = {
      token: () => this.askToken(null, false),
      tokenAfterRefusal: (used) => this.askToken(used, true),
      // The page's own session ends itself when its refresh is refused.
      end: () => undefined,
    };
    this.client = new ApiClient(tokens, parts.fetch);
  }

  hear(message: ToWorker): void {
    if (message.kind === "hello") this.begin(message.owner, message);
    else if (message.kind === "ask") void this.answer(message);
    else if (message.kind === "stream") void this.run(message.id, (signal) => this.stream(message.id, message.order, signal));
    else if (message.kind === "single") void this.run(message.id, (signal) => this.single(message.id, message.order, signal));
    else if (message.kind === "abort") this.running.get(message.id)?.abort();
    else if (message.kind === "manifest") void this.file(message.series, message.manifest);
    else if (message.kind === "view") this.view(message.series, message.index);
    else if (message.kind === "close") this.close(message.series);
    else if (message.kind === "settings") void this.shelf?.then((shelf) => shelf.use(message.settings)).then(() => this.tellSpace());
    else {
      this.tokenAsks.get(message.ask)?.(message);
      this.tokenAsks.delete(message.ask);
    }
  }

  private begin(owner: string, { settings }: Extract<ToWorker, { kind: "hello" }>): void {
    const shelf = this.parts.shelf(owner);
    this.shelf = shelf.start(settings).then(() => shelf);
    const wrote = (series: string, indices: number[]) => {
      this.memory.setKept(series, indices);
      if (indices.length > 0) this.parts.tell({ kind: "kept", series, indices });
      this.trim(shelf);
      void this.tellSpace();
    };
    this.writer = new Writer(shelf, wrote, () => this.isBusy() && this.memory.bytes < this.memory.budget * WRITE_ABOVE);
    void this.tellSpace();
  }

  /** Something comes, or somebody scrolls. */
  private isBusy(): boolean {
    return this.running.size > 0 || this.parts.now() < this.viewedAt + TURNING_MS;
  }

  private view(series: string, index: number): void {
    this.memory.view(series, index);
    this.viewedAt = this.parts.now();
    if (this.writer !== null && this.writer.waiting > 0) this.releaseSoon();
  }

  private async answer(message: Extract<ToWorker, { kind: "ask" }>): Promise<void> {
    const { ask } = message;
    try {
      const shelf = await this.shelf;
      if (shelf === null) throw new Error("asked before hello");
      if (message.what === "open") {
        const found = await shelf.find(message.series);
        if (found !== null) this.versions.set(message.series, found.manifest.version);
        this.reply(ask, { manifest: found?.manifest ?? null, kept: found?.indices ?? [] });
      } else if (message.what === "bytes") await this.handOut(shelf, ask, message.series, message.index);
      else if (message.what === "forget") {
        this.memory.drop(message.series);
        this.versions.delete(message.series);
        await shelf.forget(message.series);
        this.reply(ask, null);
      } else {
        this.memory.clear();
        await shelf.wipe();
        this.reply(ask, null);
      }
    } catch (error) {
      this.parts.tell({ kind: "refused", ask, message: error instanceof Error ? error.message : "The store failed." });
    }
  }

  private reply(ask: number, value: unknown, transfer?: Transferable[]): void {
    this.parts.tell({ kind: "answer", ask, value }, transfer);
  }

  /** The bytes go out as a copy while they are held here; what comes from the store is handed over itself. */
  private async handOut(shelf: Shelf, ask: number, series: string, index: number): Promise<void> {
    const held = this.memory.get(series, index);
    const record = held ?? (await shelf.read(series, index));
    if (record === null) {
      this.parts.tell({ kind: "gone", series, indices: [index], why: "lost" });
      this.reply(ask, null);
      return;
    }
    const data = held === null ? record.data : record.data.slice(0);
    this.reply(ask, { encoding: record.encoding, data }, [data]);
  }

  private async file(series: string, manifest: Extract<ToWorker, { kind: "manifest" }>["manifest"]): Promise<void> {
    if (this.versions.get(series) !== manifest.version) this.memory.drop(series);
    this.versions.set(series, manifest.version);
    // Before its frames: the store takes none of a series that it does not know.
    await this.writer?.inTurn(async () => (await this.shelf)?.keepManifest(series, manifest));
    void this.tellSpace();
  }

  private close(series: string): void {
    this.memory.drop(series);
    void this.shelf?.then((shelf) => shelf.release(series));
  }

  private async run(id: number, work: (signal: AbortSignal) => Promise<void>): Promise<void> {
    const control = new AbortController();
    this.running.set(id, control);
    let failure: Failure | null = null;
    try {
      await work(control.signal);
    } catch (error) {
      failure = control.signal.aborted && !(error instanceof StreamBroken) ? null : asFailure(error);
    }
    this.running.delete(id);
    if (this.running.size === 0) this.releaseSoon();
    this.parts.tell({ kind: "done", id, failure });
  }

  /** Not between one stream and the next, nor between two turns of the wheel. */
  private releaseSoon(): void {
    this.rest ??= setTimeout(() => {
      this.rest = null;
      if (!this.isBusy()) this.writer?.release();
      else if (this.running.size === 0) this.releaseSoon();
    }, WRITE_AFTER_MS);
  }

  private async stream(id: number, order: StreamOrder, signal: AbortSignal): Promise<void> {
    const response = await this.client.raw("POST", order.url, { body: order.body, signal });
    const news = new News((indices) => this.parts.tell({ kind: "got", id, indices }), this.parts.now);
    const pace = new Pace(this.parts.tell, this.parts.now);
    const breath = new Breath(this.parts.now);
    const records = new RecordReader({
      frame: (record) => {
        this.take(order.series, record);
        news.add(record.index);
        pace.frames += 1;
      },
      broken: (record: BrokenRecord) => {
        const { index, status, message } = record;
        this.parts.tell({ kind: "broken", id, index, status, message });
      },
    });
    const pull = new Pull(response.body ?? new Blob().stream(), records, this.parts.now);
    try {
      for (;;) {
        const length = await pull.once();
        if (length === null) break;
        pace.add(length, pull.waited);
        await breath.take();
        await this.room();
        if (signal.aborted) break;
      }
      if (!signal.aborted) records.end();
    } catch (error) {
      if (signal.aborted) return;
      throw error instanceof StreamBroken ? error : new StreamBroken("the line was cut", { cause: error });
    } finally {
      breath.end();
      news.flush();
      pace.flush(pull.waited);
      this.writer?.flush();
      pull.end();
    }
  }

  private async single(id: number, order: SingleOrder, signal: AbortSignal): Promise<void> {
    const response = await this.client.raw("GET", order.url, { signal, headers: { Accept: "application/octet-stream" } });
    const data = await response.arrayBuffer().catch((error: unknown) => {
      throw new NetworkError(error);
    });
    const { index, encoding } = order;
    this.take(order.series, { index, encoding, crc: crc32(new Uint8Array(data)), data });
    this.parts.tell({ kind: "got", id, indices: [index] });
    this.writer?.flush();
    await this.room();
  }

  private take(series: string, record: FrameRecord): void {
    this.memory.put(series, record);
    const version = this.versions.get(series);
    if (version !== undefined) this.writer?.add(series, version, record);
  }

  /** Waits while the store is behind and memory full: the line is then as fast as the disk. */
  private async room(): Promise<void> {
    const shelf = await this.shelf;
    if (this.memory.bytes <= this.memory.budget || shelf === null) return;
    this.writer?.flush();
    await this.writer?.idle();
    this.trim(shelf);
  }

  private trim(shelf: Shelf): void {
    const isBehind = (this.writer?.waiting ?? 0) > 0;
    for (const [series, indices] of this.memory.trim(!isBehind || !shelf.canKeep)) {
      this.parts.tell({ kind: "gone", series, indices, why: "room" });
    }
  }

  private async tellSpace(): Promise<void> {
    const shelf = await this.shelf;
    if (shelf === null) return;
    await shelf.whole();
    const { cachedBytes, cachedSeries, canKeep } = shelf;
    this.parts.tell({ kind: "space", space: { cachedBytes, cachedSeries, canKeep, memoryBytes: this.memory.budget } });
  }

  private askToken(refused: string | null, isRefusal: boolean): Promise<string | null> {
    this.asks += 1;
    const ask = this.asks;
    return new Promise((resolve, reject) => {
      this.tokenAsks.set(ask, ({ token, failed }) => {
        if (failed) reject(new NetworkError(null));
        else resolve(token);
      });
      this.parts.tell({ kind: "token", ask, refused, isRefusal });
    });
  }
}
