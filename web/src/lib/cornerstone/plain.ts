/** Raw greys need no decoder: their values are put to scale here, in a millisecond, without a way to a worker and back. */
import { metaData, type Types, utilities } from "@cornerstonejs/core";

import { type Lut, lookedUp } from "@/lib/frames/luts";
import type { Frame } from "@/lib/frames/types";
import { storedOf } from "@/lib/painter/greys";

/** What Cornerstone's own loader makes of it, in the same type of array; null for a frame that is more than whole-numbered greys. */
export function plainImage(name: string, frame: Frame, modality: string, data: ArrayBuffer, lut: Lut | null): Types.IImage | null {
  const stored = storedOf(frame, data);
  if (stored !== null && lut !== null) return lookedUpImage(name, frame, stored, lut);
  const slope = frame.slope ?? 1;
  const intercept = frame.intercept ?? 0;
  const isWhole = Number.isInteger(slope) && Number.isInteger(intercept);
  if (stored === null || !isWhole || frame.suv !== null || modality === "RTDOSE") return null;
  const shift = stored instanceof Int16Array ? 32 - frame.bitsStored : 0;
  let least = Infinity;
  let most = -Infinity;
  for (const each of stored) {
    const value = (each << shift) >> shift;
    if (value < least) least = value;
    if (value > most) most = value;
  }
  const range = [least * slope + intercept, most * slope + intercept].sort((a, b) => a - b);
  const pixels = arrayFor(range[0] ?? 0, range[1] ?? 0, stored.length);
  if (pixels === null) return null;
  for (let at = 0; at < stored.length; at += 1) pixels[at] = (((stored[at] ?? 0) << shift) >> shift) * slope + intercept;
  return asImage(name, frame, pixels, range as [number, number]);
}

/** The picture whose values are those of a modality table: its own loader does not know of any. */
export function lookedUpImage(name: string, frame: Frame, stored: ArrayLike<number>, lut: Lut): Types.IImage | null {
  // Bits above those that are stored are no part of a value, signed or not.
  const shift = 32 - Math.min(32, frame.bitsStored);
  const value = frame.pixelRepresentation === 1 ? (bits: number) => (bits << shift) >> shift : (bits: number) => bits;
  const found = Uint16Array.from(stored, (bits) => lookedUp(lut, value(bits)));
  let least = Infinity;
  let most = -Infinity;
  for (const each of found) {
    if (each < least) least = each;
    if (each > most) most = each;
  }
  const pixels = arrayFor(least, most, found.length);
  if (pixels === null) return null;
  pixels.set(found);
  return asImage(name, { ...frame, slope: 1, intercept: 0 }, pixels, [least, most]);
}

type Pixels = Uint8Array | Uint16Array | Int8Array | Int16Array;

/** The smallest kind that holds them, as the stock loader has it; null where that would not be 16 bits. */
function arrayFor(least: number, most: number, length: number): Pixels | null {
  if (least >= 0) return most <= 0xff ? new Uint8Array(length) : most <= 0xffff ? new Uint16Array(length) : null;
  if (least >= -128 && most <= 127) return new Int8Array(length);
  return least >= -32_768 && most <= 32_767 ? new Int16Array(length) : null;
}

interface Plane {
  rowPixelSpacing: number;
  columnPixelSpacing: number;
}

function asImage(name: string, frame: Frame, pixels: Pixels, [least, most]: [number, number]): Types.IImage {
  const { rows, columns, photometricInterpretation } = frame;
  const plane = metaData.get("imagePlaneModule", name) as Plane;
  const voi = metaData.get("voiLutModule", name) as { windowCenter: number[]; windowWidth: number[]; voiLUTFunction: string[] } | undefined;
  const whole = utilities.windowLevel.toWindowLevel(least, most);
  const isScaled = (frame.slope ?? 1) !== 1 || (frame.intercept ?? 0) !== 0;
  return {
    imageId: name,
    dataType: pixels.constructor.name,
    color: false,
    rgba: false,
    numberOfComponents: 1,
    rows,
    columns,
    height: rows,
    width: columns,
    calibration: (metaData.get("calibrationModule", name) ?? {}) as object,
    rowPixelSpacing: plane.rowPixelSpacing,
    columnPixelSpacing: plane.columnPixelSpacing,
    preScale: isScaled ? { enabled: true, scaled: true, scalingParameters: { rescaleSlope: frame.slope ?? 1, rescaleIntercept: frame.intercept ?? 0 } } : { enabled: false },
    slope: frame.slope ?? 1,
    intercept: frame.intercept ?? 0,
    invert: photometricInterpretation === "MONOCHROME1",
    minPixelValue: least,
    maxPixelValue: most,
    windowCenter: voi?.windowCenter[0] ?? whole.windowCenter,
    windowWidth: voi?.windowWidth[0] ?? whole.windowWidth,
    voiLUTFunction: voi?.voiLUTFunction[0],
    sizeInBytes: pixels.byteLength,
    photometricInterpretation,
    voxelManager: utilities.VoxelManager.createImageVoxelManager({ scalarData: pixels, width: columns, height: rows, numberOfComponents: 1 }),
    getPixelData: () => pixels,
    getCanvas: undefined,
  } as unknown as Types.IImage;
}
