/** Frames on their way into the browser's store: gathered, one transaction at a time. */
import type { FrameRecord } from "@/lib/frames/records";
import type { Shelf } from "@/lib/frames/shelf";

/** A transaction of about this size writes fastest in Chromium (measured: 8 frames of 512 kB at 600 MB/s, single ones 340). */
const BATCH_BYTES = 4 * 1024 ** 2;
const BATCH_FRAMES = 64;
/** A batch that does not fill is written after this. */
const PATIENCE_MS = 300;

interface Batch {
  series: string;
  version: string;
  frames: FrameRecord[];
  bytes: number;
}

export class Writer {
  private open: Batch | null = null;
  private timer: ReturnType<typeof setTimeout> | null = null;
  private readonly jobs: (() => Promise<void>)[] = [];
  /** So many of them, from the first, go whether they are held or not. */
  private urgent = 0;
  private going: Promise<void> | null = null;
  /** Batches that are not written yet. */
  waiting = 0;

  /**
   * `wrote` is told the indices that are kept now; none when the store took nothing. As long as `isHeld`, batches wait: writing takes
   * as much of a processor as receiving does, and somebody looks at what is received.
   */
  constructor(
    private readonly shelf: Shelf,
    private readonly wrote: (series: string, indices: number[]) => void,
    private readonly isHeld: () => boolean = () => false,
  ) {}

  add(series: string, version: string, frame: FrameRecord): void {
    if (!this.shelf.canKeep) {
      this.wrote(series, []);
      return;
    }
    if (this.open !== null && (this.open.series !== series || this.open.version !== version)) this.flush();
    this.open ??= { series, version, frames: [], bytes: 0 };
    this.open.frames.push(frame);
    this.open.bytes += frame.data.byteLength;
    if (this.open.bytes >= BATCH_BYTES || this.open.frames.length >= BATCH_FRAMES) this.flush();
    else this.timer ??= setTimeout(() => this.flush(), PATIENCE_MS);
  }

  flush(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
    const batch = this.open;
    if (batch === null) return;
    this.open = null;
    this.waiting += 1;
    this.jobs.push(async () => {
      const indices = await this.shelf.keep(batch.series, batch.version, batch.frames);
      this.waiting -= 1;
      this.wrote(batch.series, indices);
    });
    this.release();
  }

  /** Writes what waits, until it is held again. */
  release(): void {
    void this.go();
  }

  /** Runs in its turn: what is added afterwards is written afterwards. */
  inTurn(run: () => Promise<void>): Promise<void> {
    this.flush();
    const done = new Promise<void>((resolve, reject) => this.jobs.push(() => run().then(resolve, reject)));
    void this.idle();
    return done;
  }

  /** Resolves when everything flushed so far is written or refused. */
  idle(): Promise<void> {
    this.urgent = this.jobs.length;
    return this.go();
  }

  private go(): Promise<void> {
    this.going ??= this.work().finally(() => {
      this.going = null;
    });
    return this.going;
  }

  private async work(): Promise<void> {
    while (this.urgent > 0 || !this.isHeld()) {
      const job = this.jobs.shift();
      if (job === undefined) return;
      this.urgent = Math.max(0, this.urgent - 1);
      await job();
    }
  }
}
