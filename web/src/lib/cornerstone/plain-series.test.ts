import { expect, test } from "vitest";

import { isPlain } from "@/lib/cornerstone/plain-series";
import { manifestOf } from "@/lib/frames/stream-maker";
import type { Manifest } from "@/lib/frames/types";

function series(defaults: Manifest["defaults"], frames: Partial<Manifest["frames"]> = {}): Manifest {
  const made = manifestOf(2);
  return { ...made, defaults: { ...made.defaults, ...defaults }, frames: { ...made.frames, ...frames } };
}

test.each([
  ["a CT", series({ slope: 1, intercept: -1024 })],
  ["an MR that says nothing of a scale", series({})],
  ["colour", series({ samplesPerPixel: 3, bitsAllocated: 8 })],
  ["an exact ramp", series({ voiLutFunction: "LINEAR_EXACT" })],
])("%s is drawn by the processor", (_name, manifest) => {
  expect(isPlain(manifest)).toBe(true);
});

test.each([
  ["fractions", series({ slope: 0.5, intercept: 0 })],
  ["fractions in one frame alone", series({ slope: 1, intercept: 0 }, { slope: [1, 1.25] })],
  ["uptake", series({ suv: 0.002 })],
  ["32 bits", series({ bitsAllocated: 32 })],
  ["a sigmoid", series({ voiLutFunction: "SIGMOID" })],
])("%s is left to shaders", (_name, manifest) => {
  expect(isPlain(manifest)).toBe(false);
});
