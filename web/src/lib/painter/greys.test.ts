import { describe, expect, test } from "vitest";

import { describe as frameAt } from "@/lib/frames/describe";
import { lutsOf } from "@/lib/frames/luts";
import { manifestOf, packedLut } from "@/lib/frames/stream-maker";
import type { Frame, PackedLut } from "@/lib/frames/types";
import { greysOf, storedOf } from "@/lib/painter/greys";

function frame(own: Partial<Frame>): Frame {
  const found = frameAt(manifestOf(1), 0);
  if (found === null) throw new Error("no frame");
  return { ...found, rows: 1, columns: 4, ...own };
}

const words = (...values: number[]) => Int16Array.from(values).buffer;

function shown(own: Partial<Frame>, data: ArrayBuffer, luts: PackedLut[] = []): number[] | null {
  const what = frame(own);
  const stored = storedOf(what, data);
  const greys = stored === null ? null : greysOf(what, stored, lutsOf({ ...manifestOf(1), luts }, what));
  return stored === null || greys === null ? null : Array.from(stored, (value) => greys[value & 0xffff] ?? -1);
}

describe("greys", () => {
  const brain = { windowCenter: [40], windowWidth: [80], slope: 1, intercept: -1024 };

  test("follow the header's window after the rescale, black below and white above it (PS3.3 C.11.2.1.2.1)", () => {
    expect(shown(brain, words(1024 - 500, 1024, 1024 + 79, 1024 + 3000))).toEqual([0, 0, 255, 255]);
    expect(shown(brain, words(1024 + 20, 1024 + 40, 1024 + 60, 1024 + 1))).toEqual([65, 129, 194, 3]);
  });

  test("take the sign from the stored bits, not from what lies above them", () => {
    const signed = { pixelRepresentation: 1, bitsStored: 12, highBit: 11, windowCenter: [0.5], windowWidth: [4096], slope: null, intercept: null };
    expect(shown(signed, words(0x0fff, -1, 0x07ff, 0x0800))).toEqual([127, 127, 255, 0]);
  });

  test("of MONOCHROME1 are white where values are low", () => {
    expect(shown({ ...brain, photometricInterpretation: "MONOCHROME1" }, words(0, 1024, 1103, 4000))).toEqual([255, 255, 0, 0]);
  });

  test("without a window go from the least to the greatest value", () => {
    expect(shown({}, words(10, 20, 30, 110))).toEqual([0, 26, 51, 255]);
    expect(shown({ slope: -1, intercept: 0 }, words(10, 20, 30, 110))).toEqual([255, 230, 204, 0]);
  });

  test("of eight bits come byte by byte", () => {
    expect(shown({ bitsAllocated: 8, bitsStored: 8, highBit: 7, windowCenter: [128], windowWidth: [256] }, Uint8Array.of(0, 1, 254, 255).buffer)).toEqual([0, 1, 254, 255]);
  });

  test("follow the tables of the header, that of the modality first; beyond their ends they go on as they end", () => {
    const modality = packedLut("modality", -2, [100, 90, 80, 70]);
    const voi = packedLut("voi", 80, [0, 1000, ...Array.from({ length: 9 }, () => 2000), 4095]);
    const signed = { pixelRepresentation: 1, windowCenter: [40], windowWidth: [80] };
    // 100 → 2000, 90 → 2000, 80 → 0, 70 → 0 of 4095
    expect(shown({ ...signed, modalityLut: 0, voiLuts: [1] }, words(-9, -1, 0, 5), [modality, voi])).toEqual([255, 125, 0, 0]);
    expect(shown({ ...signed, voiLuts: [1] }, words(79, 81, 82, 500), [modality, voi])).toEqual([0, 62, 125, 255]);
    expect(shown({ modalityLut: 0, photometricInterpretation: "MONOCHROME1" }, words(65534, 65535, 0, 1), [modality])).toEqual([255, 255, 0, 255]);
    expect(shown({ ...signed, windowCenter: [], windowWidth: [], modalityLut: 0 }, words(-2, -1, 0, 1), [modality])).toEqual([255, 170, 85, 0]);
  });

  test("of a table that is not as long as it says come from the window", () => {
    const cut = { ...packedLut("voi", 0, [0, 4095]), count: 3 };
    expect(shown({ ...brain, voiLuts: [0] }, words(0, 1024, 1103, 4000), [cut])).toEqual([0, 0, 255, 255]);
  });

  test.each([
    ["colour", { samplesPerPixel: 3, photometricInterpretation: "RGB" }],
    ["a palette", { photometricInterpretation: "PALETTE COLOR" }],
    ["a sigmoid", { windowCenter: [40], windowWidth: [80], voiLutFunction: "SIGMOID" }],
    ["uptake", { suv: 0.001 }],
    ["floats", { bitsAllocated: 32 }],
    ["fewer bytes than it should have", { rows: 100 }],
  ])("are left to others where it is %s", (_what, own) => {
    expect(shown(own, words(1, 2, 3, 4))).toBeNull();
  });
});
