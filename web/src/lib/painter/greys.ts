/** Stored values to greys, as the header's first table or window shows them (DICOM PS3.3 C.11.1 and C.11.2). */
import { type FrameLuts, greysOfLut, lookedUp } from "@/lib/frames/luts";
import type { Frame } from "@/lib/frames/types";

export type Stored = Uint8Array<ArrayBuffer> | Uint16Array<ArrayBuffer> | Int16Array<ArrayBuffer>;

/** A raw frame's pixels, one value each; null for what is not plain greys of 8 or 16 bits or not as long as it should be. */
export function storedOf(frame: Frame, data: ArrayBuffer): Stored | null {
  const { samplesPerPixel, bitsAllocated, pixelRepresentation, photometricInterpretation, rows, columns } = frame;
  const isGrey = samplesPerPixel === 1 && /^MONOCHROME[12]$/.test(photometricInterpretation);
  if (!isGrey || rows * columns === 0) return null;
  if (bitsAllocated === 8 && pixelRepresentation === 0) return data.byteLength >= rows * columns ? new Uint8Array(data, 0, rows * columns) : null;
  if (bitsAllocated !== 16 || data.byteLength < 2 * rows * columns) return null;
  return pixelRepresentation === 1 ? new Int16Array(data, 0, rows * columns) : new Uint16Array(data, 0, rows * columns);
}

/** Grey of each stored value, at `value & 0xffff`; null where the header asks for more than a table or a straight ramp. */
export function greysOf(frame: Frame, stored: Stored, luts: FrameLuts): Uint8ClampedArray | null {
  if (frame.suv !== null) return null;
  const meaning = meaningOf(frame, stored, luts);
  const grey = lookOf(frame, stored, luts, meaning);
  if (grey === null) return null;
  const isWhiteLow = frame.photometricInterpretation === "MONOCHROME1";
  const greys = new Uint8ClampedArray(65_536);
  for (let at = 0; at < greys.length; at += 1) {
    const shown = grey(meaning(at));
    greys[at] = isWhiteLow ? 255 - shown : shown;
  }
  return greys;
}

/** From the bits as stored to the value that they stand for. */
function meaningOf(frame: Frame, stored: Stored, { modality }: FrameLuts): (bits: number) => number {
  // What lies above the stored bits is not the sign (DICOM PS3.5 8.1.1).
  const shift = stored instanceof Int16Array ? 32 - frame.bitsStored : 0;
  if (modality !== null) return (bits) => lookedUp(modality, (bits << shift) >> shift);
  const slope = frame.slope ?? 1;
  const intercept = frame.intercept ?? 0;
  return (bits) => ((bits << shift) >> shift) * slope + intercept;
}

/** From values to greys of 0 to 255, and beyond. */
function lookOf(frame: Frame, stored: Stored, luts: FrameLuts, meaning: (bits: number) => number): ((value: number) => number) | null {
  const [table] = luts.voi;
  if (table !== undefined) {
    const greys = greysOfLut(table);
    const { first } = table;
    return (value) => greys[Math.min(greys.length - 1, Math.max(0, Math.floor(value) - first))] ?? 0;
  }
  const { windowCenter, windowWidth, voiLutFunction } = frame;
  const ramp = rampOf(windowCenter[0], windowWidth[0], voiLutFunction) ?? (windowCenter.length === 0 ? wholeOf(stored, meaning) : null);
  if (ramp === null) return null;
  const [lower, upper] = ramp;
  return (value) => (255 * (value - lower)) / Math.max(1e-6, upper - lower);
}

type Ramp = readonly [lower: number, upper: number];

function rampOf(center: number | undefined, width: number | undefined, said: string | null): Ramp | null {
  if (center === undefined || width === undefined) return null;
  if (said === null || said === "LINEAR") return [center - 0.5 - (width - 1) / 2, center - 0.5 + (width - 1) / 2];
  return said === "LINEAR_EXACT" ? [center - width / 2, center + width / 2] : null;
}

/** From the darkest to the brightest value of the picture. */
function wholeOf(stored: Stored, meaning: (bits: number) => number): Ramp {
  let least = Infinity;
  let most = -Infinity;
  for (const bits of stored) {
    const value = meaning(bits);
    if (value < least) least = value;
    if (value > most) most = value;
  }
  return [least, most];
}
