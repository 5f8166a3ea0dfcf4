/** Which series the processor can draw as well as a graphics card. */
import type { Manifest } from "@/lib/frames/types";

const PLAIN_RAMPS: ReadonlySet<string | null | undefined> = new Set([undefined, null, "LINEAR", "LINEAR_EXACT"]);

/**
 * Cornerstone's drawing by processor looks values up in a table: that wants whole numbers of 16 bits at most, and a straight ramp.
 * All else (a dose in Gy, uptake in SUV, a sigmoid) is drawn rightly by shaders alone.
 */
export function isPlain({ defaults, frames }: Manifest): boolean {
  const all = <T>(own: readonly T[] | undefined, common: T | undefined): (T | undefined)[] => [...(own ?? []), common];
  const isWhole = (value: number | null | undefined) => value === null || value === undefined || Number.isInteger(value);
  return (
    all(frames.slope, defaults.slope).every(isWhole) &&
    all(frames.intercept, defaults.intercept).every(isWhole) &&
    all(frames.suv, defaults.suv).every((suv) => suv === null || suv === undefined) &&
    all(frames.bitsAllocated, defaults.bitsAllocated).every((bits) => bits === undefined || bits <= 16) &&
    all(frames.voiLutFunction, defaults.voiLutFunction).every((ramp) => PLAIN_RAMPS.has(ramp))
  );
}
