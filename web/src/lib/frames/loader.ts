/** The frame loader: which series loads what, when, and what happens when the server or the line say no. */
import type { ApiClient, TokenSource } from "@/lib/api/client";
import { waitBefore } from "@/lib/frames/backoff";
import { seriesKey } from "@/lib/frames/describe";
import { asFailure } from "@/lib/frames/failure";
import { Line } from "@/lib/frames/line";
import type { Failure, FromWorker, Opened, Space } from "@/lib/frames/messages";
import type { Direction } from "@/lib/frames/order";
import type { Port } from "@/lib/frames/port";
import { RequestQueue } from "@/lib/frames/queue";
import { Series } from "@/lib/frames/series";
import { Streams } from "@/lib/frames/streams";
import type { CacheSettings, FrameBytes, FrameLoader, LoaderStats, Manifest, SeriesLoad, SeriesRef } from "@/lib/frames/types";

export interface LoaderParts {
  client: ApiClient;
  tokens: TokenSource;
  port: Port;
  now: () => number;
  later: (milliseconds: number, run: () => void) => () => void;
  chance: () => number;
  settings: { get: () => CacheSettings | null; set: (settings: CacheSettings) => void };
  /** Whether the browser's store may hold anything; said to it when it does. */
  keeps: { get: () => boolean; set: () => void };
  /** Calls back when the browser says that the line is there again. */
  onOnline: (listener: () => void) => () => void;
}

/** Server faults in a row after which a series says that it failed. A lost line is waited for without end. */
const TRIES = 6;
/** Changes are told together: each time costs a page without a graphics card as much as some thirty pictures do on the line. */
const TELL_MS = 250;
/** A scroll that runs ahead of the line re-aims it this often at most. */
const AIM_MS = 150;
/** The first picture has this long to be drawn before the others come. */
const DRAWN_MS = 1_500;
const DEFAULTS: CacheSettings = { budgetBytes: 2 * 1024 ** 3, keepHours: 24 };

export class Loader implements FrameLoader {
  private readonly all = new Map<string, Series>();
  private readonly line = new Line();
  private readonly queue: RequestQueue;
  private readonly streams: Streams;
  private readonly shelved = new Set<string>();
  private space: Space = { cachedBytes: 0, cachedSeries: 0, canKeep: true, memoryBytes: 0 };
  private callOffWake: (() => void) | null = null;
  private callOffFlow: (() => void) | null;
  private lastAim = -Infinity;
  private isPumping = false;
  private readonly stopListening: () => void;

  constructor(private readonly parts: LoaderParts) {
    this.queue = new RequestQueue(parts.now, parts.later);
    this.streams = new Streams(this.queue, parts.port, this.line, parts.now, (series, failure) => this.streamEnded(series, failure));
    parts.port.listen((message) => this.hear(message));
    parts.port.post({ kind: "hello", owner: parts.port.owner, settings: parts.settings.get() });
    this.stopListening = parts.onOnline(() => this.online());
    this.callOffFlow = parts.later(DRAWN_MS, () => this.drawn());
  }

  open(ref: SeriesRef, first?: (manifest: Manifest) => number): SeriesLoad {
    const key = seriesKey(ref);
    let series = this.all.get(key);
    if (series === undefined) {
      series = new Series(ref, {
        fetchBytes: (each, index) => this.parts.port.ask<FrameBytes | null>({ what: "bytes", series: each.key, index }),
        wake: () => this.pump(),
        soon: (run) => this.parts.later(TELL_MS, run),
      });
      this.all.set(key, series);
      if (first !== undefined) series.beginAt(first);
      if (this.parts.keeps.get()) void this.lookIntoShelf(series);
      else this.shelved.add(series.key);
    }
    series.opened += 1;
    this.pump();
    return series;
  }

  view(ref: SeriesRef, index: number, direction: Direction): void {
    const series = this.all.get(seriesKey(ref));
    if (series === undefined) return;
    // Whoever scrolls has seen the first picture, or does not wait for it.
    if (direction !== 0) this.drawn();
    const isNew = !series.isViewed;
    series.isViewed = true;
    series.current = index;
    series.direction = direction;
    this.parts.port.post({ kind: "view", series: series.key, index });
    if (isNew) {
      // Whatever was viewed last stands first.
      this.all.delete(series.key);
      this.all.set(series.key, series);
      series.changed();
    }
    this.aim(series);
    this.pump();
  }

  drawn(): void {
    this.callOffFlow?.();
    this.callOffFlow = null;
    this.streams.flow();
    this.pump();
  }

  leave(ref: SeriesRef): void {
    const series = this.all.get(seriesKey(ref));
    if (series === undefined) return;
    series.isViewed = false;
    series.changed();
    this.pump();
  }

  close(ref: SeriesRef): void {
    const series = this.all.get(seriesKey(ref));
    if (series === undefined) return;
    series.opened -= 1;
    if (series.opened > 0) return;
    this.all.delete(series.key);
    this.shelved.delete(series.key);
    this.streams.abort(series);
    series.fail({ message: "The series was closed.", status: 0 });
    this.parts.port.post({ kind: "close", series: series.key });
  }

  retry(ref: SeriesRef): void {
    const series = this.all.get(seriesKey(ref));
    if (series === undefined) return;
    series.forgive();
    series.isManifestDue = true;
    this.pump();
  }

  async wipe(): Promise<void> {
    await this.parts.port.ask({ what: "wipe" });
    for (const series of this.all.values()) {
      this.streams.abort(series);
      if (series.manifest !== null) series.take(series.manifest);
      series.isManifestDue = true;
    }
    this.space = { ...this.space, cachedBytes: 0, cachedSeries: 0 };
    this.pump();
  }

  get settings(): CacheSettings {
    return this.parts.settings.get() ?? DEFAULTS;
  }

  set settings(settings: CacheSettings) {
    this.parts.settings.set(settings);
    this.parts.port.post({ kind: "settings", settings });
  }

  stats(): LoaderStats {
    const { cachedBytes, cachedSeries, canKeep } = this.space;
    const { inFlight, begun } = this.queue;
    return { cachedBytes, cachedSeries, canKeep, requestsInFlight: inFlight, requests: begun, bytesPerSecond: this.line.bytesPerSecond };
  }

  request<T>(run: (signal: AbortSignal) => Promise<T>, signal?: AbortSignal): Promise<T> {
    const control = signal ?? new AbortController().signal;
    return this.queue.run("page", () => run(control), control);
  }

  /** Ends everything; the loader is of no use afterwards. */
  dispose(): void {
    this.stopListening();
    this.callOffWake?.();
    this.callOffFlow?.();
    for (const series of this.all.values()) series.fail({ message: "The viewer was closed.", status: 0 });
    this.all.clear();
    this.parts.port.end();
  }

  private async lookIntoShelf(series: Series): Promise<void> {
    const found = await this.parts.port.ask<Opened>({ what: "open", series: series.key }).catch(() => null);
    if (this.all.get(series.key) !== series) return;
    this.shelved.add(series.key);
    if (found?.manifest != null) {
      if (series.manifest === null) series.take(found.manifest);
      if (series.manifest?.version === found.manifest.version) series.arrived(found.kept, "store");
    }
    // The server was faster: only now is it known what is filed already.
    if (series.manifest !== null && !series.isManifestDue && !series.isManifestRunning) this.file(series, series.manifest);
    this.pump();
  }

  private file(series: Series, manifest: Manifest): void {
    this.parts.port.post({ kind: "manifest", series: series.key, manifest });
  }

  /** Begins what may begin. */
  private pump(): void {
    if (this.isPumping) return;
    this.isPumping = true;
    const ranked = [...this.all.values()].sort((a, b) => Number(b.isViewed) - Number(a.isViewed));
    let isViewedBusy = false;
    let earliest = Infinity;
    for (const series of ranked) {
      if (series.error !== null) continue;
      if (series.notBefore > this.parts.now()) {
        earliest = Math.min(earliest, series.notBefore);
        continue;
      }
      if (series.isManifestDue) {
        this.renew(series);
        isViewedBusy ||= series.isViewed;
      } else if (!series.isManifestRunning && series.manifest !== null && this.shelved.has(series.key)) {
        if (series.isViewed) isViewedBusy = this.streams.feed(series) || isViewedBusy;
        else if (isViewedBusy) this.streams.abort(series);
        else this.streams.feed(series);
      }
    }
    this.isPumping = false;
    this.wakeAt(earliest);
  }

  private wakeAt(moment: number): void {
    this.callOffWake?.();
    this.callOffWake = null;
    if (moment === Infinity) return;
    this.callOffWake = this.parts.later(Math.max(0, moment - this.parts.now()) + 1, () => this.pump());
  }

  /** Aborts what is under way for another place than the one on the screen. */
  private aim(series: Series): void {
    if (series.streams.size === 0 || !series.needsAim(12)) return;
    const wait = this.lastAim + AIM_MS - this.parts.now();
    if (wait > 0) {
      this.parts.later(wait + 1, () => {
        if (series.isViewed) this.aim(series);
      });
      return;
    }
    this.lastAim = this.parts.now();
    this.streams.abort(series);
    this.pump();
  }

  private renew(series: Series): void {
    series.isManifestDue = false;
    series.isManifestRunning = true;
    series.changed();
    const { studyUid, seriesUid } = series.ref;
    const path = `/api/pacs/studies/${encodeURIComponent(studyUid)}/series/${encodeURIComponent(seriesUid)}/manifest`;
    this.queue
      .run(series.isViewed ? "viewed" : "page", () => this.parts.client.get<Manifest>(path))
      .then(
        (manifest) => {
          series.isManifestRunning = false;
          series.isOffline = false;
          series.failures = 0;
          if (series.manifest?.version !== manifest.version) series.take(manifest);
          if (this.shelved.has(series.key)) this.file(series, manifest);
          series.changed();
        },
        (error: unknown) => {
          series.isManifestRunning = false;
          series.isManifestDue = true;
          this.refused(series, asFailure(error), true);
        },
      )
      .finally(() => this.pump());
  }

  private hear(message: FromWorker): void {
    if (message.kind === "line") {
      if (this.line.saw(message.bytes, message.milliseconds, message.frames)) this.streams.lineChanged([...this.all.values()]);
    } else if (message.kind === "kept") {
      this.parts.keeps.set();
      this.all.get(message.series)?.keptNow(message.indices);
    } else if (message.kind === "gone") this.gone(message);
    else if (message.kind === "space") this.space = message.space;
    else if (message.kind === "token") void this.tellToken(message);
    else if (message.kind === "got" || message.kind === "broken" || message.kind === "done") this.streams.hear(message);
    this.pump();
  }

  private gone({ series: key, indices, why }: Extract<FromWorker, { kind: "gone" }>): void {
    const series = this.all.get(key);
    if (series === undefined) return;
    if (why === "room") series.limitTo(this.space.memoryBytes);
    series.drop(indices);
  }

  private async tellToken({ ask, refused, isRefusal }: Extract<FromWorker, { kind: "token" }>): Promise<void> {
    const { tokens, port } = this.parts;
    try {
      const token = await (isRefusal ? tokens.tokenAfterRefusal(refused) : tokens.token());
      port.post({ kind: "token", ask, token, failed: false });
    } catch {
      port.post({ kind: "token", ask, token: null, failed: true });
    }
  }

  private streamEnded(series: Series, failure: Failure | null): void {
    if (failure === null) series.isOffline = false;
    else this.refused(series, failure, false);
    this.pump();
  }

  /** What a refusal means for the series: try again later, ask for the manifest anew, fetch frames singly, or give up. */
  private refused(series: Series, failure: Failure, isManifest: boolean): void {
    const { status, retryAfter, message } = failure;
    const again = (failures: number) => {
      series.notBefore = this.parts.now() + waitBefore(failures, retryAfter, this.parts.chance);
    };
    if (status === 409 && !isManifest) {
      series.isManifestDue = true;
    } else if (status === 429) {
      again(1);
      this.queue.pause(series.notBefore - this.parts.now());
    } else if (status === 0) {
      series.failures += 1;
      series.isOffline = true;
      this.line.forget();
      again(series.failures);
    } else if (status === 401 || isManifest && [403, 404, 410].includes(status)) {
      // Not, or no longer, ours to see: what was kept of it goes as well.
      void this.parts.port.ask({ what: "forget", series: series.key }).catch(() => undefined);
      series.manifest = null;
      series.fail({ message, status });
    } else if (!isManifest && status < 500) {
      // Cut off, or refused for a reason that a fresh manifest may clear up; the second time frames are fetched singly.
      if (status > 0) series.isManifestDue = true;
      again(Math.max(1, series.brokenStreams));
    } else {
      series.failures += 1;
      if (series.failures >= TRIES || status < 500) series.fail({ message, status });
      else again(series.failures);
    }
    series.changed();
  }

  private online(): void {
    for (const series of this.all.values()) {
      if (!series.isOffline) continue;
      series.notBefore = 0;
      series.failures = 0;
    }
    this.pump();
  }
}
