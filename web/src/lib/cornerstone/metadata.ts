/** Answers Cornerstone's questions about a picture out of the series manifest. */
import { Enums } from "@cornerstonejs/core";

import type { PictureSet } from "@/lib/cornerstone/pictures";
import { frameOf, placeOfMeasurements } from "@/lib/cornerstone/pictures";
import { lutsOf } from "@/lib/frames/luts";
import type { Frame } from "@/lib/frames/types";
import { unitOf } from "@/lib/frames/units";

/** A provider for `metaData.addProvider`: undefined for whatever is not ours or not known. */
export function provide(type: string, name: unknown): unknown {
  if (typeof name !== "string") return undefined;
  const found = frameOf(name);
  return found === null ? undefined : modules[type]?.(found.frame, found.set);
}

type Module = (frame: Frame, set: PictureSet) => unknown;

const modules: Partial<Record<string, Module>> = {
  imagePixelModule: (frame) => ({
    samplesPerPixel: frame.samplesPerPixel,
    photometricInterpretation: frame.photometricInterpretation,
    planarConfiguration: frame.planarConfiguration ?? 0,
    rows: frame.rows,
    columns: frame.columns,
    bitsAllocated: frame.bitsAllocated,
    bitsStored: frame.bitsStored,
    highBit: frame.highBit,
    pixelRepresentation: frame.pixelRepresentation,
    smallestPixelValue: frame.smallest ?? undefined,
    largestPixelValue: frame.largest ?? undefined,
  }),
  imagePlaneModule: plane,
  generalSeriesModule: (frame, { manifest }) => ({
    // Of a CT the tools say "HU" whatever its header says.
    modality: manifest.modality === "CT" && unitOf(manifest, frame) !== "HU" ? "OT" : manifest.modality,
    seriesInstanceUID: manifest.seriesUid,
    studyInstanceUID: manifest.studyUid,
    seriesNumber: manifest.seriesNumber,
    seriesDescription: manifest.seriesDescription,
  }),
  generalImageModule: (frame) => ({ sopInstanceUID: frame.instanceUid, instanceNumber: frame.instanceNumber }),
  sopCommonModule: (frame) => ({ sopInstanceUID: frame.instanceUid }),
  modalityLutModule: (frame, { manifest }) =>
    (frame.slope === null && frame.intercept === null) || lutsOf(manifest, frame).modality !== null
      ? undefined
      : { rescaleSlope: frame.slope ?? 1, rescaleIntercept: frame.intercept ?? 0, rescaleType: frame.rescaleType ?? undefined },
  voiLutModule: (frame) =>
    frame.windowCenter.length === 0
      ? undefined
      : {
          windowCenter: [...frame.windowCenter],
          windowWidth: [...frame.windowWidth],
          windowCenterWidthExplanation: [...frame.windowExplanation],
          // A list: of a bare word the stock loader would take the first letter.
          voiLUTFunction: [known(frame.voiLutFunction)],
        },
  scalingModule: (frame) => (frame.suv === null ? undefined : { suvbw: frame.suv }),
  calibrationModule: (frame) =>
    frame.spacingIs === "detector" ? { type: Enums.CalibrationTypes.PROJECTION } : undefined,
  transferSyntax: (frame) => ({ transferSyntaxUID: frame.transferSyntaxUid, isEncapsulated: frame.encoding !== "raw" }),
};

const RAMPS: ReadonlySet<string> = new Set(Object.values(Enums.VOILUTFunctionType));

/** An unknown function would stop Cornerstone: a plain ramp is drawn. */
function known(said: string | null): string {
  return said !== null && RAMPS.has(said) ? said : "LINEAR";
}

const FLAT: readonly number[] = [1, 0, 0, 0, 1, 0];

/** Where the picture lies in the room. Without spacing lengths are in pixels; without a place they still are in millimetres. */
function plane(frame: Frame, { manifest }: PictureSet): unknown {
  const orientation = frame.imageOrientationPatient ?? FLAT;
  const [row, column] = frame.pixelSpacing ?? frame.pixelAspectRatio ?? [1, 1];
  return {
    frameOfReferenceUID: placeOfMeasurements(manifest),
    rows: frame.rows,
    columns: frame.columns,
    imageOrientationPatient: [...orientation],
    rowCosines: orientation.slice(0, 3),
    columnCosines: orientation.slice(3, 6),
    imagePositionPatient: frame.position === null ? [0, 0, frame.index] : [...frame.position],
    sliceThickness: frame.sliceThickness ?? undefined,
    sliceLocation: frame.index,
    pixelSpacing: [row, column],
    rowPixelSpacing: row,
    columnPixelSpacing: column,
    usingDefaultValues: frame.pixelSpacing === null ? true : undefined,
  };
}

