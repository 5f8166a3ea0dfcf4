/** What the line carries, seen from the streams themselves. */

/** Below this the server's work to pack frames is worth the bytes that it saves. */
export const SLOW_BELOW = 25_000_000;
/** Between the two the line stays what it was taken for. */
const FAST_ABOVE = 40_000_000;
/** Less than this says nothing: it came out of buffers. */
const ENOUGH_BYTES = 2_000_000;
const ENOUGH_MS = 200;

export type LineKind = "fast" | "slow";

/** Begins with "fast" and learns. */
export class Line {
  kind: LineKind = "fast";
  bytesPerSecond: number | null = null;
  private bytes = 0;
  private milliseconds = 0;

  /** So many bytes came in so many milliseconds of waiting for them. True when the line has turned out to be another kind. */
  saw(bytes: number, milliseconds: number): boolean {
    this.bytes += bytes;
    this.milliseconds += milliseconds;
    if (this.bytes < ENOUGH_BYTES && this.milliseconds < 5 * ENOUGH_MS) return false;
    if (this.milliseconds < ENOUGH_MS && this.bytes < 8 * ENOUGH_BYTES) return false;
    const rate = (this.bytes * 1000) / Math.max(1, this.milliseconds);
    this.bytesPerSecond = this.bytesPerSecond === null ? rate : this.bytesPerSecond * 0.5 + rate * 0.5;
    this.bytes = 0;
    this.milliseconds = 0;
    const before = this.kind;
    if (this.bytesPerSecond < SLOW_BELOW) this.kind = "slow";
    else if (this.bytesPerSecond > FAST_ABOVE) this.kind = "fast";
    return this.kind !== before;
  }

  /** The line was gone: what comes back may be another one. */
  forget(): void {
    this.bytesPerSecond = null;
    this.bytes = 0;
    this.milliseconds = 0;
  }
}
