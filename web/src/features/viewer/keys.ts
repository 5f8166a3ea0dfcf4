/** The keys of the viewer: what each does, and how it is told to a reader. */
import type { Shortcut } from "@/components/shortcuts";

import { choose, type Preset } from "./presets";
import type { Viewing } from "./viewing";

/** What keys do beyond the series itself. */
export interface RoomActs {
  toggleInfo: () => void;
  fullscreen: () => void;
  neighbour: (by: 1 | -1) => void;
  toCounter: () => void;
}

type Act = (viewing: Viewing, acts: RoomActs) => void;

/** By `event.key`; letters in lower case, with Shift as `shift+r`. */
const KEYS: Record<string, Act> = {
  ArrowUp: (viewing) => viewing.step(-1),
  ArrowLeft: (viewing) => viewing.step(-1),
  ArrowDown: (viewing) => viewing.step(1),
  ArrowRight: (viewing) => viewing.step(1),
  PageUp: (viewing) => viewing.step(-10),
  PageDown: (viewing) => viewing.step(10),
  Home: (viewing) => viewing.goTo(0),
  End: (viewing) => viewing.goTo(viewing.total - 1),
  " ": (viewing) => (viewing.getState().isPlaying ? viewing.pause() : viewing.play()),
  "+": (viewing) => viewing.zoom("in"),
  "=": (viewing) => viewing.zoom("in"),
  "-": (viewing) => viewing.zoom("out"),
  "0": (viewing) => viewing.zoom("fit"),
  ".": (viewing) => viewing.zoom("actual"),
  r: (viewing) => viewing.rotate(1),
  "shift+r": (viewing) => viewing.rotate(-1),
  h: (viewing) => viewing.flip("horizontal"),
  v: (viewing) => viewing.flip("vertical"),
  i: (viewing) => viewing.invert(),
  x: (viewing) => viewing.reset(),
  w: (viewing) => viewing.setTool("window"),
  s: (viewing) => viewing.setTool("scroll"),
  p: (viewing) => viewing.setTool("pan"),
  z: (viewing) => viewing.setTool("zoom"),
  l: (viewing) => viewing.setTool("length"),
  a: (viewing) => viewing.setTool("angle"),
  e: (viewing) => viewing.setTool("ellipse"),
  t: (viewing) => viewing.setTool("rectangle"),
  Delete: (viewing) => viewing.clearMeasurement(),
  Backspace: (viewing) => viewing.clearMeasurement(),
  o: (_, acts) => acts.toggleInfo(),
  f: (_, acts) => acts.fullscreen(),
  g: (_, acts) => acts.toCounter(),
  "[": (_, acts) => acts.neighbour(-1),
  "]": (_, acts) => acts.neighbour(1),
  ",": (_, acts) => acts.neighbour(-1),
  ";": (_, acts) => acts.neighbour(1),
};

/** What this key does; null for none. Digits choose windows. */
export function actOf(event: Pick<KeyboardEvent, "key" | "shiftKey" | "ctrlKey" | "metaKey" | "altKey">, presets: readonly Preset[]): Act | null {
  if (event.ctrlKey || event.metaKey || event.altKey) return null;
  const preset = presets.find(({ key }) => key === event.key);
  if (preset !== undefined) return (viewing) => choose(viewing, preset);
  const name = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  // Digits and signs need Shift on one keyboard and none on another: it counts where it makes no other sign.
  const isShifted = event.shiftKey && (event.key.length > 1 || name !== event.key.toUpperCase());
  return KEYS[isShifted ? `shift+${name}` : name] ?? null;
}

/** Where a key is for what has the focus: a field, a slider, an open menu or dialog; a button takes Space for itself. */
export function isTaken(target: EventTarget | null, key: string): boolean {
  if (document.querySelector("[role=dialog],[role=menu]") !== null) return true;
  if (!(target instanceof HTMLElement)) return false;
  if (target.closest("input, textarea, select, [role=slider], [contenteditable=true]") !== null) return true;
  return key === " " && target.closest("button, a") !== null;
}

export const SHORTCUTS: readonly Shortcut[] = [
  [["↑", "↓"], "Previous, next image"],
  [["Page ↑", "Page ↓"], "Ten images back, on"],
  [["Home", "End"], "First, last image"],
  [["g"], "Type an image’s number"],
  [["Space"], "Play or pause"],
  [["[", "]"], "Previous, next series"],
  [["1", "…", "9"], "Windows, as the menu numbers them"],
  [["i"], "Invert"],
  [["w", "s", "p", "z"], "Drag: window, scroll, pan, zoom"],
  [["l", "a", "e", "t"], "Measure: length, angle, ellipse, rectangle"],
  [["Del"], "Remove the marked measurement"],
  [["+", "−", "0", "."], "Zoom in, out, fit, real size"],
  [["r", "h", "v"], "Turn, mirror across, mirror down"],
  [["x"], "Reset the view"],
  [["o"], "Words over the image"],
  [["f"], "Full screen"],
];
