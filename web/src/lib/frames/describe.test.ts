import { expect, test } from "vitest";

import { describe, frameBytes } from "@/lib/frames/describe";
import { manifestOf } from "@/lib/frames/stream-maker";

test("what a column says of a frame counts, and that it says nothing too", () => {
  const manifest = manifestOf(3);
  manifest.defaults = { ...manifest.defaults, pixelSpacing: [0.5, 0.5], spacingIs: "patient", slope: 2 };
  manifest.frames = { ...manifest.frames, pixelSpacing: [[0.7, 0.7], null, [0.5, 0.5]], spacingIs: ["patient", null, "patient"], bytes: [100, 60, 100] };
  expect([0, 1, 2].map((index) => describe(manifest, index)?.pixelSpacing)).toEqual([[0.7, 0.7], null, [0.5, 0.5]]);
  expect([0, 1].map((index) => describe(manifest, index)?.spacingIs)).toEqual(["patient", null]);
  expect([0, 1].map((index) => describe(manifest, index)?.slope)).toEqual([2, 2]);
  expect(frameBytes(manifest, 1)).toBe(60);
});
