/** Stored values to greys, as the header's first window shows them (DICOM PS3.3 C.11.1.1.2 and C.11.2.1.2). */
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

/** Grey of each stored value, at `value & 0xffff`; null where the header asks for more than a straight ramp. */
export function greysOf(frame: Frame, stored: Stored): Uint8ClampedArray | null {
  const { windowCenter, windowWidth, voiLutFunction, photometricInterpretation, suv } = frame;
  if (suv !== null) return null;
  const ramp = rampOf(windowCenter[0], windowWidth[0], voiLutFunction) ?? (windowCenter.length === 0 ? wholeOf(frame, stored) : null);
  if (ramp === null) return null;
  const [lower, upper] = ramp;
  const { slope, intercept } = scaleOf(frame);
  const isWhiteLow = photometricInterpretation === "MONOCHROME1";
  const greys = new Uint8ClampedArray(65_536);
  // What lies above the stored bits is not the sign (DICOM PS3.5 8.1.1).
  const shift = stored instanceof Int16Array ? 32 - frame.bitsStored : 0;
  for (let at = 0; at < greys.length; at += 1) {
    const value = ((at << shift) >> shift) * slope + intercept;
    const grey = (255 * (value - lower)) / Math.max(1e-6, upper - lower);
    greys[at] = isWhiteLow ? 255 - grey : grey;
  }
  return greys;
}

type Ramp = readonly [lower: number, upper: number];

function rampOf(center: number | undefined, width: number | undefined, said: string | null): Ramp | null {
  if (center === undefined || width === undefined) return null;
  if (said === null || said === "LINEAR") return [center - 0.5 - (width - 1) / 2, center - 0.5 + (width - 1) / 2];
  return said === "LINEAR_EXACT" ? [center - width / 2, center + width / 2] : null;
}

/** From the darkest to the brightest value of the picture. */
function wholeOf(frame: Frame, stored: Stored): Ramp {
  let least = Infinity;
  let most = -Infinity;
  for (const value of stored) {
    if (value < least) least = value;
    if (value > most) most = value;
  }
  const { slope, intercept } = scaleOf(frame);
  return slope < 0 ? [most * slope + intercept, least * slope + intercept] : [least * slope + intercept, most * slope + intercept];
}

function scaleOf({ slope, intercept }: Frame): { slope: number; intercept: number } {
  return { slope: slope ?? 1, intercept: intercept ?? 0 };
}
