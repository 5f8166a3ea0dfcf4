/** What the line carries, seen from the streams themselves. */

/** Below this the server's work to pack frames is worth the bytes that it saves. */
export const SLOW_BELOW = 25_000_000;
/** Below this one stretch says enough; above, a second one must say the same. */
const SURELY_BELOW = 15_000_000;
/** Between the two the line stays what it was taken for. */
const FAST_ABOVE = 40_000_000;
/** Smaller frames come as fast as the server finds them: they say nothing about the line, and are not worth packing. */
export const WORTH_PACKING = 64 * 1024;
/** A stretch of the stream ends with so many bytes, or after so long: buffers and a busy machine even out over it. */
const STRETCH_BYTES = 4_000_000;
const STRETCH_MS = 1000;
/** The fastest of so many stretches counts: what holds a stream up for a moment is seldom the line. */
const STRETCHES = 3;

export type LineKind = "fast" | "slow";

/** Begins with "fast" and learns. */
export class Line {
  kind: LineKind = "fast";
  bytesPerSecond: number | null = null;
  private bytes = 0;
  private milliseconds = 0;
  private rates: number[] = [];

  /** So many frames' bytes came in so many milliseconds. True when the line has turned out to be of another kind. */
  saw(bytes: number, milliseconds: number, frames: number): boolean {
    if (bytes < frames * WORTH_PACKING) return false;
    this.bytes += bytes;
    this.milliseconds += milliseconds;
    if (this.bytes < STRETCH_BYTES && this.milliseconds < STRETCH_MS) return false;
    this.rates = [...this.rates, (this.bytes * 1000) / Math.max(1, this.milliseconds)].slice(-STRETCHES);
    this.bytes = 0;
    this.milliseconds = 0;
    this.bytesPerSecond = Math.max(...this.rates);
    const before = this.kind;
    if (this.bytesPerSecond < (this.rates.length > 1 ? SLOW_BELOW : SURELY_BELOW)) this.kind = "slow";
    else if (this.bytesPerSecond > FAST_ABOVE) this.kind = "fast";
    return this.kind !== before;
  }

  /** The line was gone: what comes back may be another one. */
  forget(): void {
    this.bytesPerSecond = null;
    this.rates = [];
    this.bytes = 0;
    this.milliseconds = 0;
  }
}
