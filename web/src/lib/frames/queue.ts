/** The one queue: never more than four requests of the viewer are under way at once. */

/** The fourth place is for the series on the screen alone, so that it never waits for a thumbnail. */
export const PLACES = 4;
export type Rank = "viewed" | "page" | "background";

interface Waiting {
  rank: Rank;
  start: () => void;
}

const ORDER: readonly Rank[] = ["viewed", "page", "background"];

export class RequestQueue {
  inFlight = 0;
  /** Requests begun since the page was opened. */
  begun = 0;
  private others = 0;
  private waiting: Waiting[] = [];
  private pausedUntil = 0;
  private timer: (() => void) | null = null;

  constructor(
    private readonly now: () => number,
    private readonly later: (milliseconds: number, run: () => void) => () => void,
  ) {}

  /** Runs when a place is free; an aborted one leaves the queue and rejects with the signal's reason. */
  run<T>(rank: Rank, work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const waiting: Waiting = {
        rank,
        start: () => {
          signal?.removeEventListener("abort", leave);
          this.enter(rank);
          work()
            .then(resolve, reject)
            .finally(() => this.free(rank));
        },
      };
      const leave = () => {
        this.waiting = this.waiting.filter((other) => other !== waiting);
        reject(signal?.reason as Error);
      };
      if (signal?.aborted === true) {
        reject(signal.reason as Error);
        return;
      }
      signal?.addEventListener("abort", leave, { once: true });
      this.waiting.push(waiting);
      this.pump();
    });
  }

  /** True when a request of that rank would begin at once. */
  hasRoom(rank: Rank): boolean {
    return this.now() >= this.pausedUntil && !this.waiting.some((other) => isBefore(other.rank, rank)) && this.fits(rank);
  }

  /** Nothing new begins for so long: the server has asked for patience. */
  pause(milliseconds: number): void {
    this.pausedUntil = Math.max(this.pausedUntil, this.now() + milliseconds);
    this.timer?.();
    this.timer = this.later(this.pausedUntil - this.now(), () => {
      this.timer = null;
      this.pump();
    });
  }

  private fits(rank: Rank): boolean {
    return this.inFlight < PLACES && (rank === "viewed" || this.others < PLACES - 1);
  }

  private enter(rank: Rank): void {
    this.inFlight += 1;
    this.begun += 1;
    if (rank !== "viewed") this.others += 1;
  }

  private free(rank: Rank): void {
    this.inFlight -= 1;
    if (rank !== "viewed") this.others -= 1;
    this.pump();
  }

  private pump(): void {
    if (this.now() < this.pausedUntil) return;
    for (const rank of ORDER) {
      for (const each of this.waiting.filter((other) => other.rank === rank)) {
        if (!this.fits(rank)) break;
        this.waiting = this.waiting.filter((other) => other !== each);
        each.start();
      }
    }
  }
}

function isBefore(one: Rank, other: Rank): boolean {
  return ORDER.indexOf(one) < ORDER.indexOf(other);
}
