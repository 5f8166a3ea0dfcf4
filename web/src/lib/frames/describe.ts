/** Reads a manifest: the description of one frame, and what the whole weighs. */
import type { Frame, FrameDescription, Manifest, SeriesRef } from "@/lib/frames/types";

const NOTHING_KNOWN: FrameDescription = {
  rows: 0,
  columns: 0,
  samplesPerPixel: 1,
  photometricInterpretation: "MONOCHROME2",
  planarConfiguration: null,
  bitsAllocated: 16,
  bitsStored: 16,
  highBit: 15,
  pixelRepresentation: 0,
  pixelSpacing: null,
  spacingIs: null,
  pixelAspectRatio: null,
  imageOrientationPatient: null,
  sliceThickness: null,
  spacingBetweenSlices: null,
  slope: null,
  intercept: null,
  rescaleType: null,
  windowCenter: [],
  windowWidth: [],
  windowExplanation: [],
  voiLutFunction: null,
  frameTime: null,
  transferSyntaxUid: "1.2.840.10008.1.2.1",
  encoding: "raw",
  bytes: 0,
  smallest: null,
  largest: null,
  lossy: false,
  burnedIn: false,
  suv: null,
  modalityLut: null,
  voiLuts: [],
  lutLeftOut: null,
};
const KEYS = Object.keys(NOTHING_KNOWN) as (keyof FrameDescription)[];

/** One frame in display order; null beyond the last. A column counts before the defaults. */
export function describe(manifest: Manifest, index: number): Frame | null {
  const instance = manifest.frames.instance[index];
  if (instance === undefined) return null;
  const own: Record<string, unknown> = { ...NOTHING_KNOWN };
  for (const key of KEYS) {
    const value = valueAt(manifest, key, index);
    if (value !== undefined && value !== null) own[key] = value;
  }
  return {
    ...(own as unknown as FrameDescription),
    index,
    instanceUid: manifest.instances.uid[instance] ?? "",
    handle: manifest.instances.handle[instance] ?? "",
    instanceNumber: manifest.instances.number[instance] ?? null,
    frameNumber: manifest.frames.frameNumber?.[index] ?? 1,
    position: manifest.frames.position?.[index] ?? null,
  };
}

/** Of a column that is there its null counts too: the default is but the commonest value of the others. */
function valueAt<K extends keyof FrameDescription>(manifest: Manifest, key: K, index: number): FrameDescription[K] | null | undefined {
  const column = manifest.frames[key] as FrameDescription[K][] | undefined;
  return column === undefined ? manifest.defaults[key] : column[index];
}

/** Bytes of one frame as sent; the pixels' own size where the manifest does not say. */
export function frameBytes(manifest: Manifest, index: number): number {
  const said = valueAt(manifest, "bytes", index);
  if (said !== undefined && said !== null && said > 0) return said;
  const frame = describe(manifest, index);
  return frame === null ? 0 : (frame.rows * frame.columns * frame.samplesPerPixel * frame.bitsAllocated) / 8;
}

/** One name for a series: what its load, its kept frames and its pictures are filed under. */
export function seriesKey(ref: SeriesRef): string {
  return `${ref.studyUid}/${ref.seriesUid}`;
}
