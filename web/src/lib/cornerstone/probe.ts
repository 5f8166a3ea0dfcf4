/** What lies under a point of the screen. */
import { cache, type StackViewport, type Types } from "@cornerstonejs/core";

import { pictureOf, type PictureSet } from "@/lib/cornerstone/pictures";
import type { Probe } from "@/lib/cornerstone/types";
import { describe } from "@/lib/frames/describe";
import { unitOf } from "@/lib/frames/units";

/** The picture's own values there, rescaled; null beside the picture. `x` and `y` are CSS pixels in the element. */
export function probeAt(viewport: StackViewport, set: PictureSet, x: number, y: number): Probe | null {
  const name = viewport.getCurrentImageId() as string | undefined;
  const found = name === undefined ? null : pictureOf(name);
  const image = name === undefined ? undefined : cache.getImage(name);
  if (found?.set !== set || image === undefined) return null;
  const [column, row] = pixelAt(viewport, x, y);
  if (column < 0 || row < 0 || column >= image.columns || row >= image.rows) return null;
  const pixels = image.voxelManager?.getScalarData() ?? image.getPixelData();
  const parts = Math.round(pixels.length / (image.rows * image.columns));
  const at = (row * image.columns + column) * parts;
  const raw = Array.from(pixels.slice(at, at + Math.min(3, parts)), Number);
  const isScaled = image.color || image.preScale?.scaled === true;
  const values = isScaled ? raw : raw.map((value) => value * image.slope + image.intercept);
  return { column, row, values, unit: unitAt(set, found.index) };
}

/** Cornerstone's own worldToImageCoords mixes up the two spacings, so that pixels that are not square would be missed. */
function pixelAt(viewport: StackViewport, x: number, y: number): [column: number, row: number] {
  const { origin, direction, spacing } = viewport.getImageData();
  const world = viewport.canvasToWorld([x, y]);
  const along = (axis: 0 | 1) => {
    const sum = [0, 1, 2].reduce((total, at) => total + ((world[at] ?? 0) - (origin[at] ?? 0)) * cosine(direction, 3 * axis + at), 0);
    return Math.floor(sum / spacing[axis] + 0.5);
  };
  return [along(0), along(1)];
}

function cosine(direction: Types.Mat3, at: number): number {
  return direction[at] ?? 0;
}

function unitAt({ manifest }: PictureSet, index: number): string {
  const frame = describe(manifest, index);
  return frame === null ? "" : unitOf(manifest, frame);
}
