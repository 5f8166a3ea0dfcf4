/** Streams under way: how much each orders, when the next one begins, which are aborted. */
import { describe, frameBytes } from "@/lib/frames/describe";
import { type Line, type LineKind, WORTH_PACKING } from "@/lib/frames/line";
import type { Failure, FromWorker } from "@/lib/frames/messages";
import { NEAR, spans } from "@/lib/frames/order";
import type { Port } from "@/lib/frames/port";
import { ENCODINGS } from "@/lib/frames/records";
import type { RequestQueue } from "@/lib/frames/queue";
import type { ActiveStream, Series } from "@/lib/frames/series";

const URL_OF_STREAMS = "/api/pacs/frames";
/** What is on the screen first, and its neighbours. */
const FIRST_FRAMES = 2 * NEAR + 1;
/** Of a line that is not known yet: enough to see what it carries. */
const EARLY_FRAMES = 24;
const MOST_FRAMES = 128;
const MOST_BYTES = 96 * 1024 ** 2;
/** The next stream is ordered while this many frames of the last are still to come, so that the line never rests. */
const OVERLAP = 12;
/** Single requests at once, where streams do not come through. */
const SINGLES = 3;
/** Streams that break in a row before frames are fetched one by one. */
const BROKEN_ENOUGH = 2;
/** A frame that the server could not read just now is asked for this often. */
const FRAME_TRIES = 2;

/** No line, no session, another version, too many at once: none of these says that streams do not come through. */
const NOT_THE_STREAM: ReadonlySet<number> = new Set([0, 401, 409, 429]);

type StreamNews = Extract<FromWorker, { kind: "got" | "broken" | "done" }>;

interface Running {
  series: Series;
  stream: ActiveStream;
  finish: () => void;
}

export class Streams {
  private readonly running = new Map<number, Running>();
  private readonly tries = new Map<string, number>();
  private last = 0;
  /** From the first stream for a screen until its picture is drawn: a whole series coming would hold that up. */
  private isHeld = false;
  private isDrawn = false;

  constructor(
    private readonly queue: RequestQueue,
    private readonly port: Port,
    private readonly line: Line,
    private readonly now: () => number,
    private readonly ended: (series: Series, failure: Failure | null) => void,
  ) {}

  /** The first picture is on the screen, or has had its time: the rest may come. */
  flow(): void {
    this.isDrawn = true;
    this.isHeld = false;
  }

  /** Orders more of the series if more is wanted and may be. True while anything of it is missing or on its way. */
  feed(series: Series): boolean {
    const rank = series.isViewed ? "viewed" : "background";
    for (;;) {
      const active = [...series.streams.values()].filter((stream) => !stream.stale);
      const isSingle = series.brokenStreams >= BROKEN_ENOUGH;
      if (this.isFull(series, active, isSingle)) return true;
      const wanted = series.missing(isSingle ? 1 : this.batch(series));
      if (wanted.length === 0) return active.length > 0;
      if (!this.queue.hasRoom(rank) || (rank === "background" && this.othersAreBusy(series))) return true;
      this.begin(series, rank, wanted, isSingle);
    }
  }

  /** Ends the streams of a series; what they have brought stays. */
  abort(series: Series): void {
    for (const stream of series.streams.values()) {
      if (stream.stale) continue;
      stream.stale = true;
      this.port.post({ kind: "abort", id: stream.id });
    }
  }

  /** The line is of another kind than thought: what is still to come is ordered anew where that makes a difference. */
  lineChanged(all: readonly Series[]): void {
    for (const series of all) {
      const far = [...series.streams.values()].some((stream) => stream.due.size > OVERLAP);
      if (far && this.lineFor(series) === this.line.kind && series.manifest?.defaults.encoding === "raw") this.abort(series);
    }
  }

  hear(news: StreamNews): void {
    const running = this.running.get(news.id);
    if (running === undefined) return;
    const { series, stream } = running;
    if (news.kind === "got") {
      for (const index of news.indices) stream.due.delete(index);
      stream.delivered += news.indices.length;
      series.failures = series.brokenStreams >= BROKEN_ENOUGH ? series.failures : 0;
      if (series.brokenStreams < BROKEN_ENOUGH) series.brokenStreams = 0;
      series.isOffline = false;
      series.arrived(news.indices, "line");
    } else if (news.kind === "broken") {
      stream.due.delete(news.index);
      stream.delivered += 1;
      this.frameBroken(series, stream, news);
    } else {
      this.running.delete(news.id);
      series.streams.delete(news.id);
      running.finish();
      this.ended(series, this.verdict(running, news.failure));
    }
  }

  /** A stream that ended well without what was ordered would be ordered for ever: it counts as cut. */
  private verdict({ series, stream }: Running, failure: Failure | null): Failure | null {
    if (failure?.status === 404 && series.brokenStreams >= BROKEN_ENOUGH) {
      for (const index of stream.due) series.broken(index, { message: failure.message, status: 404 });
      return null;
    }
    if (stream.stale) return null;
    const isEmpty = stream.delivered === 0;
    // One that brought something and was then cut goes on in the next; one that brings nothing at all is of no use.
    if (isEmpty && (failure === null ? stream.due.size > 0 : !NOT_THE_STREAM.has(failure.status))) series.brokenStreams += 1;
    if (failure !== null || !isEmpty || stream.due.size === 0) return failure;
    return { status: -1, code: "", message: "The server sent none of the pictures.", retryAfter: null };
  }

  private isFull(series: Series, active: readonly ActiveStream[], isSingle: boolean): boolean {
    if (this.isHeld) return active.length > 0 || !series.isViewed || series.has(series.current);
    if (isSingle) return active.length >= SINGLES;
    // The very first streams are followed at once: the page is busy then with what Cornerstone weighs.
    const most = this.last <= 2 ? EARLY_FRAMES : OVERLAP;
    return active.length > 1 || active.some((stream) => stream.due.size > most);
  }

  private batch(series: Series): number {
    if (this.isHeld || (this.last === 0 && series.isViewed && !this.isDrawn)) return FIRST_FRAMES;
    if (this.line.bytesPerSecond === null && this.last < 2) return EARLY_FRAMES;
    const each = series.manifest === null ? 0 : frameBytes(series.manifest, series.current);
    return Math.max(1, Math.min(MOST_FRAMES, Math.floor(MOST_BYTES / Math.max(1, each))));
  }

  private lineFor(series: Series): LineKind {
    const isWorth = series.manifest !== null && series.mayPack && frameBytes(series.manifest, series.current) >= WORTH_PACKING;
    return isWorth ? this.line.kind : "fast";
  }

  private othersAreBusy(series: Series): boolean {
    return [...this.running.values()].some((other) => other.series !== series && !other.stream.stale);
  }

  private begin(series: Series, rank: "viewed" | "background", wanted: number[], isSingle: boolean): void {
    const { manifest } = series;
    if (manifest === null) return;
    this.last += 1;
    const id = this.last;
    if (id === 1) this.isHeld = series.isViewed && !this.isDrawn;
    const stream: ActiveStream = { id, due: new Set(wanted), startedAt: this.now(), delivered: 0, stale: false, isPacked: false };
    series.streams.set(id, stream);
    void this.queue.run(rank, () => {
      const over = new Promise<void>((finish) => this.running.set(id, { series, stream, finish }));
      if (isSingle) this.postSingle(series, id, wanted[0] ?? 0);
      else {
        const { studyUid, seriesUid } = series.ref;
        const { version } = manifest;
        const line = this.lineFor(series);
        stream.isPacked = line === "slow";
        const body = { studyUid, seriesUid, version, frames: spans(wanted), accept: ENCODINGS, line };
        this.port.post({ kind: "stream", id, order: { series: series.key, url: URL_OF_STREAMS, body } });
      }
      return over;
    });
    series.changed();
  }

  private postSingle(series: Series, id: number, index: number): void {
    const frame = series.manifest === null ? null : describe(series.manifest, index);
    const url = `/api/pacs/instances/${encodeURIComponent(frame?.handle ?? "")}/frames/${frame?.frameNumber ?? 1}`;
    this.port.post({ kind: "single", id, order: { series: series.key, url, index, encoding: frame?.encoding ?? "raw" } });
  }

  /** 503 may pass; anything else is how this frame is. */
  private frameBroken(series: Series, stream: ActiveStream, { index, status, message }: Extract<StreamNews, { kind: "broken" }>): void {
    if (stream.isPacked) {
      // What the server could not pack it may still be able to send as it is.
      series.mayPack = false;
      this.abort(series);
      return;
    }
    const name = `${series.key}/${series.manifest?.version ?? ""}/${index}`;
    const tries = (this.tries.get(name) ?? 0) + 1;
    this.tries.set(name, tries);
    if (status === 503 && tries < FRAME_TRIES) return;
    series.broken(index, { message, status });
  }
}
