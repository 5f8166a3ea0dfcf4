/** Notices a decoder that gives out an earlier picture: the stock one for JPEG 2000 does, where a frame is broken, and says nothing. */

/** More than there are workers, each of which holds the one picture that it decoded last. */
const REMEMBERED = 16;
/** So many values are looked at: any two pictures of a scanner differ in some of them by noise. */
const LOOKED_AT = 4096;

interface Seen {
  bytes: number;
  pixels: number;
}

/** The last pictures that came out of the decoders, by what went in. */
export class Stale {
  private readonly seen: Seen[] = [];

  /** True when these pixels came before from other bytes. A picture of one value alone is nobody's: it may come again. */
  has(bytes: Uint8Array, pixels: ArrayLike<number>): boolean {
    const now = { bytes: hash(bytes, bytes.length), pixels: hash(pixels, LOOKED_AT) };
    if (isPlain(pixels)) return false;
    if (this.seen.some((before) => before.pixels === now.pixels && before.bytes !== now.bytes)) return true;
    this.seen.push(now);
    if (this.seen.length > REMEMBERED) this.seen.shift();
    return false;
  }
}

/** FNV-1a of at most so many values, spread over all of them, and of how many there are. */
function hash(values: ArrayLike<number>, most: number): number {
  const step = Math.max(1, Math.floor(values.length / most));
  let found = 0x811c9dc5 ^ values.length;
  for (let at = 0; at < values.length; at += step) found = Math.imul(found ^ Math.round(values[at] ?? 0), 0x01000193);
  return found >>> 0;
}

function isPlain(values: ArrayLike<number>): boolean {
  const step = Math.max(1, Math.floor(values.length / LOOKED_AT));
  for (let at = step; at < values.length; at += step) if (values[at] !== values[0]) return false;
  return true;
}
