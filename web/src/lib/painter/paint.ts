/** Paints one picture as it first appears, with nothing but a canvas: it is on the screen while Cornerstone is still being fetched. */
import type { FrameLuts } from "@/lib/frames/luts";
import type { Frame, FrameBytes } from "@/lib/frames/types";
import { greysOf, storedOf } from "@/lib/painter/greys";

const OPAQUE = 0xff00_0000;

/** At the picture's own size; false when this picture is not one that could be painted so. The canvas is then as it was. */
export function paint(canvas: HTMLCanvasElement, frame: Frame, { encoding, data }: FrameBytes, luts: FrameLuts): boolean {
  const stored = encoding === "raw" ? storedOf(frame, data) : null;
  const greys = stored === null ? null : greysOf(frame, stored, luts);
  if (stored === null || greys === null) return false;
  canvas.width = frame.columns;
  canvas.height = frame.rows;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (context === null) return false;
  const image = context.createImageData(frame.columns, frame.rows);
  const out = new Uint32Array(image.data.buffer);
  for (let at = 0; at < out.length; at += 1) out[at] = OPAQUE | (0x01_0101 * (greys[(stored[at] ?? 0) & 0xffff] ?? 0));
  context.putImageData(image, 0, 0);
  return true;
}

/** Height over width of one pixel, for `aspect-ratio`. */
export function shapeOf(frame: Frame): number {
  const [row, column] = frame.pixelSpacing ?? frame.pixelAspectRatio ?? [1, 1];
  return row > 0 && column > 0 ? row / column : 1;
}
