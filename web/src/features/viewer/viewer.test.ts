import { describe, expect, test } from "vitest";

import { describe as describeFrame } from "@/lib/frames/describe";
import { manifestOf, packedLut } from "@/lib/frames/stream-maker";
import type { FrameDescription, Manifest, PackedLut } from "@/lib/frames/types";

import { CineClock, fpsOf, keptFps, stepped } from "./cine";
import { firstIndex, imageOf, isUid, typedIndex } from "./place";
import { choose, ownWindows, presetName, presetsOf } from "./presets";
import { progressOf, stateWords } from "./progress";
import { WheelSteering } from "./wheel";

describe("progress", () => {
  test("is red at nothing, yellow in between, green only when all is here", () => {
    expect(progressOf(0, 250)).toEqual({ stage: "none", percent: 0, words: "0 / 250 images loaded" });
    expect(progressOf(1, 2000)).toMatchObject({ stage: "some", percent: 1 });
    expect(progressOf(1999, 2000)).toMatchObject({ stage: "some", percent: 99 });
    expect(progressOf(250, 250)).toMatchObject({ stage: "all", percent: 100 });
    expect(progressOf(1, 1).words).toBe("1 / 1 image loaded");
    expect(progressOf(0, 0).stage).toBe("none");
  });

  test("says in words what a colour cannot", () => {
    const load = { state: "loading", loaded: 3, total: 9, error: null, fromCache: 0 } as const;
    expect(stateWords(load)).toBe("");
    expect(stateWords({ ...load, state: "offline" })).toBe("Offline: 3 of 9 images are here");
    expect(stateWords({ ...load, state: "error", error: { message: "Orthanc does not answer.", status: 502 } })).toBe("Orthanc does not answer.");
    expect(stateWords({ ...load, state: "error", error: { message: "x", status: 404 } })).toContain("not yours to see");
    expect(stateWords({ ...load, state: "complete", loaded: 9, fromCache: 9 })).toContain("store");
  });
});

describe("the cine clock", () => {
  test("keeps its pace over uneven ticks", () => {
    const clock = new CineClock(10);
    let steps = clock.due(0);
    for (const at of [16, 33, 120, 130, 260, 400, 401, 520, 700, 910, 1000]) steps += clock.due(at);
    expect(steps).toBe(10);
  });

  test("does not race after a pause, and goes round", () => {
    const clock = new CineClock(20);
    clock.due(0);
    expect(clock.due(60_000)).toBe(10);
    expect(stepped(248, 5, 250)).toBe(3);
    expect(stepped(0, -1, 250)).toBe(249);
    expect(stepped(0, 1, 0)).toBe(0);
  });

  test("begins with the film's own pace", () => {
    expect(fpsOf(40)).toBe(25);
    expect(fpsOf(5)).toBe(60);
    expect(fpsOf(null)).toBe(fpsOf(0));
    expect(keptFps(0.2)).toBe(1);
    expect(keptFps(Number.NaN)).toBe(12);
  });
});

describe("the wheel", () => {
  const notch = (at: number, deltaY = 100) => ({ deltaY, deltaMode: 0, at });

  test("goes one image with each notch, and as many more as the reader wants", () => {
    const wheel = new WheelSteering(1);
    expect([notch(0), notch(50), notch(100)].map((turn) => wheel.steps(turn))).toEqual([1, 1, 1]);
    expect(wheel.steps(notch(150, -100))).toBe(-1);
    wheel.sensitivity = 3;
    expect(wheel.steps(notch(1000))).toBe(3);
    wheel.sensitivity = 0.5;
    expect([2000, 2050, 2100, 2150].map((at) => wheel.steps(notch(at)))).toEqual([1, 0, 1, 0]);
  });

  test("gathers a pad's small moves, but answers the first at once", () => {
    const wheel = new WheelSteering(1);
    const steps = Array.from({ length: 50 }, (_, nth) => wheel.steps({ deltaY: 10, deltaMode: 0, at: nth * 16 }));
    expect(steps[0]).toBe(1);
    expect(steps.reduce((sum, step) => sum + step, 0)).toBe(5);
  });

  test("reads lines as well as pixels", () => {
    const wheel = new WheelSteering(1);
    expect(wheel.steps({ deltaY: 3, deltaMode: 1, at: 0 })).toBe(1);
    expect(wheel.steps({ deltaY: 0, deltaMode: 0, at: 10 })).toBe(0);
  });
});

describe("the counter", () => {
  test("takes numbers from 1 and means the ends beyond them", () => {
    expect(typedIndex(" 45 ", 250)).toBe(44);
    expect(typedIndex("999", 250)).toBe(249);
    expect(typedIndex("0", 250)).toBe(0);
    for (const text of ["", "4x", "-3", "1.5"]) expect(typedIndex(text, 250)).toBeNull();
  });

  test("reads the image of an address, and nothing else as one", () => {
    expect(imageOf(new URLSearchParams("image=45"))).toBe(44);
    for (const text of ["", "image=", "image=0", "image=x", "image=-4"]) expect(imageOf(new URLSearchParams(text))).toBeNull();
  });

  test("knows a UID from other words", () => {
    expect(["1.2.840.10008", "2.25.0"].map(isUid)).toEqual([true, true]);
    for (const text of ["", "12", "1.2.", "1.2.x", "Doe", `1.${"2".repeat(63)}`]) expect(isUid(text)).toBe(false);
  });

  test("opens slices in the middle and a film at its beginning", () => {
    expect(firstIndex(250, false)).toBe(124);
    expect(firstIndex(250, true)).toBe(0);
    expect(firstIndex(0, false)).toBe(0);
  });
});

describe("windows to choose from", () => {
  const plain = { windowCenter: [40], windowWidth: [400], windowExplanation: [] };
  const presets = (modality: string, own: Partial<FrameDescription>, luts: PackedLut[] = []) => {
    const manifest: Manifest = { ...manifestOf(1), modality, defaults: { ...manifestOf(1).defaults, ...own }, luts };
    const frame = describeFrame(manifest, 0);
    return frame === null ? [] : presetsOf(manifest, frame);
  };
  test("of a CT are the file's own, then the craft's, with keys", () => {
    const found = presets("CT", { ...plain, rescaleType: "HU" });
    expect(found.map(({ name }) => name).slice(0, 5)).toEqual(["As in the file", "Brain", "Subdural", "Stroke", "Bone"]);
    expect(found.map(({ key }) => key).slice(0, 3)).toEqual(["1", "2", "3"]);
    expect(presetName(found, { center: 40, width: 80 })).toBe("Brain");
    expect(presetName(found, { center: 41, width: 80 })).toBe("");
    expect(presetName(found, null)).toBe("As in the file");
  });

  test("of a CT whose values are no Hounsfield units are the file's alone", () => {
    expect(presets("CT", { ...plain, rescaleType: "US" })).toHaveLength(1);
    expect(presets("CT", { ...plain, modalityLut: 0 }, [packedLut("modality", 0, [1, 2])])).toHaveLength(1);
  });

  test("of an MR are the file's and the whole range; of colour there are none", () => {
    const found = presets("MR", { ...plain, smallest: 0, largest: 900, slope: 2, intercept: 0 });
    expect(found.map(({ name, window }) => [name, window?.width])).toEqual([["As in the file", undefined], ["Whole range", 1800]]);
    expect(presets("US", { ...plain, samplesPerPixel: 3 })).toEqual([]);
    expect(presets("MR", {})[0]?.name).toBe("Automatic");
  });

  test("are the lookup tables of a header too, by what it calls them, before its windows", () => {
    const luts = [packedLut("modality", 0, [900, 300]), packedLut("voi", 0, [0, 4095], "NORMAL"), packedLut("voi", 0, [0, 9])];
    const found = presets("DX", { ...plain, modalityLut: 0, voiLuts: [1, 2], smallest: 0, largest: 1 }, luts);
    expect(found.map(({ name, table: place }) => [name, place])).toEqual([
      ["As in the file", undefined], ["NORMAL", 1], ["Table 2", 2], ["Window 1", undefined], ["Whole range", undefined],
    ]);
    expect(found.at(-1)?.window).toEqual({ center: 600, width: 600 });
    expect(presetName(found, { center: 40, width: 400 }, 1)).toBe("NORMAL");
    const asked: unknown[] = [];
    const viewing = { setTable: (place: number) => asked.push(place), setWindow: (window: unknown) => asked.push(window) };
    for (const preset of found.slice(0, 2)) choose(viewing, preset);
    expect(asked).toEqual([null, 1]);
  });

  test("in a header are named once each, and without a width not at all", () => {
    const named = ownWindows({ windowCenter: [40, 300, 40, 5], windowWidth: [400, 1500, 400, 0], windowExplanation: ["SOFT", ""] });
    expect(named.map(({ name }) => name)).toEqual(["SOFT", "Window 2"]);
  });
});
