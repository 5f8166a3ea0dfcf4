/** Windows to choose from: of the modality's craft, and of the file's own header. */
import type { Window } from "@/lib/cornerstone/types";
import type { FrameDescription } from "@/lib/frames/types";

export interface Preset {
  name: string;
  /** Null: as the file says. */
  window: Window | null;
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

/** True where values are Hounsfield units: said so, or a CT that says nothing else (PS3.3 section C.8.2.1.1.2). */
export function isHounsfield(modality: string, rescaleType: string | null | undefined): boolean {
  return modality === "CT" && (rescaleType === null || rescaleType === undefined || rescaleType === "" || rescaleType === "HU");
}

/** The menu of windows: the file's first, then the craft's. Colour has none. */
export function presetsOf(modality: string, frame: Partial<FrameDescription>): Preset[] {
  if ((frame.samplesPerPixel ?? 1) > 1) return [];
  const own = ownWindows({ windowCenter: frame.windowCenter ?? [], windowWidth: frame.windowWidth ?? [], windowExplanation: frame.windowExplanation ?? [] });
  const first: Preset = { name: own.length === 0 ? "Automatic" : "As in the file", window: null, key: "1" };
  const presets = [first, ...(own.length > 1 ? own : [])];
  const whole = wholeRange(frame);
  if (whole !== null && own.length > 0 && modality !== "CT") presets.push({ name: "Whole range", window: whole });
  if (isHounsfield(modality, frame.rescaleType)) {
    // What the file calls by the same name is what its author meant.
    const taken = new Set(presets.map(({ name }) => name.toLowerCase()));
    presets.push(...CT.filter(([name]) => !taken.has(name.toLowerCase())).map(([name, center, width]) => ({ name, window: { center, width } })));
  }
  return presets.map((preset, place) => (place > 0 && place < 9 ? { ...preset, key: String(place + 1) } : preset));
}

function wholeRange({ smallest, largest, slope, intercept }: Partial<FrameDescription>): Window | null {
  if (smallest == null || largest == null || largest <= smallest) return null;
  const [low, high] = [smallest, largest].map((value) => value * (slope ?? 1) + (intercept ?? 0)) as [number, number];
  return { center: (low + high) / 2, width: Math.max(1, high - low) };
}

/** The name of the preset that this window is; empty for one set by hand. */
export function presetName(presets: readonly Preset[], window: Window | null): string {
  if (window === null) return presets.find((preset) => preset.window === null)?.name ?? "";
  return presets.find((preset) => preset.window?.center === window.center && preset.window.width === window.width)?.name ?? "";
}
