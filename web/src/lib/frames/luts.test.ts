import { expect, test } from "vitest";

import { describe } from "@/lib/frames/describe";
import { lookedUp, lutsOf, riseOf } from "@/lib/frames/luts";
import { manifestOf, packedLut } from "@/lib/frames/stream-maker";
import type { FrameDescription, Manifest } from "@/lib/frames/types";
import { unitOf } from "@/lib/frames/units";

const LUTS = [packedLut("modality", 0, [4095, 0], "", "OD"), packedLut("voi", -3, [7, 7, 9, 4000, 4095, 4095], "HARD")];

function of(defaults: Partial<FrameDescription>, own: Partial<Manifest> = {}) {
  const manifest: Manifest = { ...manifestOf(1), luts: LUTS, ...own };
  manifest.defaults = { ...manifest.defaults, ...defaults };
  const frame = describe(manifest, 0);
  if (frame === null) throw new Error("no frame");
  return { ...lutsOf(manifest, frame), unit: unitOf(manifest, frame) };
}

test("the tables of a frame are unpacked once, each of its kind", () => {
  const found = of({ modalityLut: 0, voiLuts: [1, 0, 9] });
  expect(found.voi.map(({ explanation }) => explanation)).toEqual(["HARD"]);
  expect(found.modality?.entries).toEqual(Uint16Array.of(4095, 0));
  expect(of({ modalityLut: 0 }).modality).toBe(found.modality);
  expect(of({ modalityLut: 1 }).modality).toBeNull();
});

test("a manifest that was kept before there were any has none, and neither have colours", () => {
  expect(of({ modalityLut: 0, voiLuts: [1] }, { luts: undefined })).toMatchObject({ modality: null, voi: [] });
  expect(of({ modalityLut: 0, voiLuts: [1], samplesPerPixel: 3 })).toMatchObject({ modality: null, voi: [] });
});

test("a table goes on beyond its ends, and rises from where to where it does", () => {
  const [table] = of({ voiLuts: [1] }).voi;
  if (table === undefined) throw new Error("no table");
  expect([-9, -3, -1, 0.9, 2, 99].map((value) => lookedUp(table, value))).toEqual([7, 7, 9, 4000, 4095, 4095]);
  expect(riseOf(table)).toEqual({ lower: -2, upper: 1 });
  expect(riseOf({ ...table, entries: Uint16Array.of(5, 5, 5) })).toEqual({ lower: -1, upper: 0 });
});

test("values are called what the table, or else the rescale, says they are", () => {
  expect(of({ modalityLut: 0 }).unit).toBe("OD");
  expect(of({ modalityLut: 0, rescaleType: "HU" }, { luts: [packedLut("modality", 0, [1])] }).unit).toBe("");
  expect([of({}).unit, of({ rescaleType: "US" }).unit, of({ rescaleType: "HU" }, { modality: "MR" }).unit]).toEqual(["HU", "", "HU"]);
  expect(of({}, { modality: "MR" }).unit).toBe("");
});
