/** What a stream in the frame worker tells the page while it runs, and when it lets the page's own questions in. */
import type { FromWorker } from "@/lib/frames/messages";

/** News of frames goes to the page at most this often, apart from the first of a stream. */
const NEWS_MS = 40;
/** The page's questions wait no longer than this. */
const BREATH_MS = 16;
/** The stream's pace is told in pieces of this size, or after this time. */
const PACE_BYTES = 1_000_000;
const PACE_MS = 250;

/** A stream that is always ahead would leave no turn to the page's questions: now and then they are let in. */
export class Breath {
  private readonly channel = new MessageChannel();
  private last: number;

  constructor(private readonly now: () => number) {
    this.last = now();
  }

  async take(): Promise<void> {
    if (this.now() - this.last < BREATH_MS) return;
    await new Promise((resolve) => {
      this.channel.port1.onmessage = resolve;
      this.channel.port2.postMessage(null);
    });
    this.last = this.now();
  }

  end(): void {
    this.channel.port1.close();
  }
}

/** Gathers indices, so that a fast line is not one message a frame; the first one goes at once. */
export class News {
  private indices: number[] = [];
  private last = -Infinity;

  constructor(
    private readonly send: (indices: number[]) => void,
    private readonly now: () => number,
  ) {}

  add(index: number): void {
    this.indices.push(index);
    if (this.now() - this.last >= NEWS_MS) this.flush();
  }

  flush(): void {
    if (this.indices.length === 0) return;
    this.last = this.now();
    this.send(this.indices);
    this.indices = [];
  }
}

/** How fast a stream comes, from its first bytes on: what the server thinks about before is not the line's. */
export class Pace {
  frames = 0;
  private bytes = 0;
  /** Milliseconds of waiting until the last news was told, and the time of that. */
  private waited = 0;
  private since: number | null = null;

  constructor(
    private readonly tell: (message: FromWorker) => void,
    private readonly now: () => number,
  ) {}

  /** `waited`: milliseconds that the stream has been waited for in all. */
  add(bytes: number, waited: number): void {
    if (this.since === null) {
      this.since = this.now();
      this.waited = waited;
      return;
    }
    this.bytes += bytes;
    if (this.bytes >= PACE_BYTES || this.now() - this.since >= PACE_MS) this.flush(waited);
  }

  flush(waited: number): void {
    if (this.since === null || this.bytes === 0) return;
    const { bytes, frames } = this;
    this.tell({ kind: "line", bytes, frames, milliseconds: waited - this.waited });
    this.since = this.now();
    this.waited = waited;
    this.bytes = this.frames = 0;
  }
}
