/** Which bytes of a file the server has, and which it still wants; ranges are [start, stop), in order and apart. */

export type ByteRange = readonly [start: number, stop: number];

export function coveredBytes(received: readonly ByteRange[]): number {
  return received.reduce((sum, [start, stop]) => sum + Math.max(0, stop - start), 0);
}

/** The first piece that is missing, not longer than `most`; null when nothing is. */
export function firstGap(received: readonly ByteRange[], total: number, most: number): ByteRange | null {
  let start = 0;
  for (const [from, to] of received.toSorted((one, other) => one[0] - other[0])) {
    if (from > start) return [start, Math.min(from, start + most)];
    start = Math.max(start, to);
  }
  return start >= total ? null : [start, Math.min(total, start + most)];
}

const LEAST = 64 * 1024;
const FIRST = 256 * 1024;

/** How much to send at once: about a second's worth, so that a cut line costs little and the bar moves. */
export class PieceSize {
  private bytes = FIRST;

  constructor(private readonly most: number) {}

  get(): number {
    return Math.min(this.bytes, this.most);
  }

  took(milliseconds: number): void {
    if (milliseconds < 500) this.bytes = Math.min(this.bytes * 2, this.most);
    else if (milliseconds > 2_000) this.bytes = Math.max(LEAST, this.bytes / 2);
  }

  failed(): void {
    this.bytes = Math.max(LEAST, this.bytes / 2);
  }
}
