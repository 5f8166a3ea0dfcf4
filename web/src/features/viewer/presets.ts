/** Windows to choose from: of the modality's craft, and of the file's own header. */
import type { Window } from "@/lib/cornerstone/types";
import { type FrameLuts, lookedUp, lutsOf } from "@/lib/frames/luts";
import type { Frame, FrameDescription, Manifest } from "@/lib/frames/types";
import { unitOf } from "@/lib/frames/units";

import type { Viewing } from "./viewing";

export interface Preset {
  name: string;
  /** Null: as the file says. */
  window: Window | null;
  /** A lookup table in place of a window, by its place in the manifest. */
  table?: number;
  /** The key that chooses it. */
  key?: string;
}

/** Centre and width in Hounsfield units, as radiology textbooks give them. */
const CT: readonly [name: string, center: number, width: number][] = [
  ["Brain", 40, 80],
  ["Subdural", 75, 215],
  ["Stroke", 40, 40],
  ["Bone", 400, 1800],
  ["Lung", -600, 1500],
  ["Mediastinum", 50, 350],
  ["Abdomen", 50, 400],
  ["Liver", 30, 150],
  ["Angiography", 300, 600],
];

/** What windows stand in a header, each once; the first is the file's own. */
export function ownWindows(frame: Pick<FrameDescription, "windowCenter" | "windowWidth" | "windowExplanation">): Preset[] {
  const found: Preset[] = [];
  frame.windowCenter.forEach((center, place) => {
    const width = frame.windowWidth[place];
    if (width === undefined || !(width > 0) || found.some(({ window }) => window?.center === center && window.width === width)) return;
    const said = frame.windowExplanation[place]?.trim() ?? "";
    found.push({ name: said === "" ? `Window ${found.length + 1}` : said, window: { center, width } });
  });
  return found;
}

/** The lookup tables of a header, by what it calls them; the first is how the image is shown at first. */
function ownTables({ voi }: FrameLuts): Preset[] {
  return voi.map(({ place, explanation }, nth) => ({ name: explanation.trim() || (voi.length === 1 ? "Table" : `Table ${nth + 1}`), window: null, table: place }));
}

/** The menu of windows: the file's tables and windows first, then the craft's. Colour has none. */
export function presetsOf(manifest: Manifest, frame: Frame): Preset[] {
  if (frame.samplesPerPixel > 1) return [];
  const { modality } = manifest;
  const luts = lutsOf(manifest, frame);
  const own = [...ownTables(luts), ...ownWindows(frame)];
  const first: Preset = { name: own.length === 0 ? "Automatic" : "As in the file", window: null, key: "1" };
  const presets = [first, ...(own.length > 1 || luts.voi.length > 0 ? own : [])];
  const whole = wholeRange(frame, luts);
  if (whole !== null && own.length > 0 && modality !== "CT") presets.push({ name: "Whole range", window: whole });
  if (modality === "CT" && unitOf(manifest, frame) === "HU") {
    // What the file calls by the same name is what its author meant.
    const taken = new Set(presets.map(({ name }) => name.toLowerCase()));
    presets.push(...CT.filter(([name]) => !taken.has(name.toLowerCase())).map(([name, center, width]) => ({ name, window: { center, width } })));
  }
  return presets.map((preset, place) => (place > 0 && place < 9 ? { ...preset, key: String(place + 1) } : preset));
}

function wholeRange({ smallest, largest, slope, intercept }: Frame, { modality: lut }: FrameLuts): Window | null {
  if (smallest === null || largest === null || largest <= smallest) return null;
  const [one, other] = [smallest, largest].map((value) => (lut === null ? value * (slope ?? 1) + (intercept ?? 0) : lookedUp(lut, value))) as [number, number];
  return { center: (one + other) / 2, width: Math.max(1, Math.abs(other - one)) };
}

/** Shows the series so. */
export function choose(viewing: Pick<Viewing, "setTable" | "setWindow">, { window, table }: Preset): void {
  if (table === undefined) viewing.setWindow(window);
  else viewing.setTable(table);
}

/** The name of the preset that this window or table is; empty for a window set by hand. */
export function presetName(presets: readonly Preset[], window: Window | null, table: number | null = null): string {
  if (table !== null) return presets.find((preset) => preset.table === table)?.name ?? "";
  if (window === null) return presets.find((preset) => preset.window === null)?.name ?? "";
  return presets.find((preset) => preset.window?.center === window.center && preset.window.width === window.width)?.name ?? "";
}
