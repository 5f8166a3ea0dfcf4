/** Loads one picture for Cornerstone: bytes from the frame loader, decoded by the stock loader's own workers. */
import type { Types } from "@cornerstonejs/core";
import { createImage } from "@cornerstonejs/dicom-image-loader";

import { frameOf } from "@/lib/cornerstone/pictures";
import { lookedUpImage, plainImage } from "@/lib/cornerstone/plain";
import { Stale } from "@/lib/cornerstone/stale";
import { lutsOf } from "@/lib/frames/luts";
import { LoadProblem } from "@/lib/frames/series";
import type { Encoding, Frame } from "@/lib/frames/types";

/** What a frame is decoded as when it did not come as stored: the lossless kind of each encoding. */
const SYNTAX: Record<Encoding, string> = {
  raw: "1.2.840.10008.1.2.1",
  jpeg: "1.2.840.10008.1.2.4.50",
  jpegll: "1.2.840.10008.1.2.4.70",
  jpls: "1.2.840.10008.1.2.4.80",
  jp2: "1.2.840.10008.1.2.4.90",
  htj2k: "1.2.840.10008.1.2.4.201",
  rle: "1.2.840.10008.1.2.5",
};

const stale = new Stale();

/** Raw frames are little endian whatever the file was; the server has seen to that. */
function syntaxOf(frame: Frame, encoding: Encoding): string {
  return encoding !== "raw" && encoding === frame.encoding ? frame.transferSyntaxUid : SYNTAX[encoding];
}

/** For `imageLoader.registerImageLoader`. */
export function loadPicture(
  name: string,
  options: Record<string, unknown> = {},
): { promise: Promise<Types.IImage>; cancelFn: () => void } {
  const control = new AbortController();
  return { promise: picture(name, options, control.signal), cancelFn: () => control.abort() };
}

async function picture(name: string, options: Record<string, unknown>, signal: AbortSignal): Promise<Types.IImage> {
  const found = frameOf(name);
  if (found === null) throw new Error(`there is no picture ${name}`);
  const { encoding, data } = await found.set.load.bytes(found.frame.index, signal);
  const { modality: lut } = lutsOf(found.set.manifest, found.frame);
  const plain = encoding === "raw" ? plainImage(name, found.frame, found.set.manifest.modality, data, lut) : null;
  if (plain !== null) return plain;
  // The stock loader's default: values leave its workers rescaled (HU on CT), in the smallest type that holds them.
  const settings = { ...options, preScale: { enabled: true } };
  // The others say when they fail. A copy: what is handed to a decoder is gone afterwards.
  const packed = encoding === "jp2" ? new Uint8Array(data.slice(0)) : null;
  const image = (await createImage(name, new Uint8Array(data), syntaxOf(found.frame, encoding), settings)) as Types.IImage;
  const { rows, columns } = found.frame;
  if (image.rows !== rows || image.columns !== columns || (packed !== null && stale.has(packed, image.getPixelData()))) {
    throw new LoadProblem("This image is broken: it cannot be decoded.", 422);
  }
  return lut === null ? image : (lookedUpImage(name, found.frame, image.getPixelData(), lut) ?? image);
}
