/** One stack of pictures on the screen, as pages see it; none of them sees Cornerstone. */
import type { SeriesLoad } from "@/lib/frames/types";

export type ToolName = "window" | "pan" | "zoom" | "scroll" | "length" | "angle" | "ellipse" | "rectangle" | "probe";

/** What draws: "auto" is the processor, but for large pictures where there is a real graphics card, and for those that need one. */
export type Brush = "auto" | "graphics" | "processor";

export interface Window {
  center: number;
  width: number;
}

export interface StackState {
  /** Frame on the screen. */
  index: number;
  window: Window;
  /** The VOI lookup table that greys come from, by its place in the manifest; null where the window says. */
  table: number | null;
  /** Screen pixels for each image pixel. */
  zoom: number;
  inverted: boolean;
  /** Milliseconds from the last `show` until its picture was drawn. */
  rendered: number;
}

export interface Probe {
  column: number;
  row: number;
  /** One value of a grey picture, three of a coloured one; as rescaled (HU on CT). */
  values: number[];
  /** Unit of the values as the header says it, such as "HU"; empty when it says none. */
  unit: string;
}

export interface StackView {
  /** Draws this frame; resolves when it is on the screen or a later `show` has overtaken it; rejects when it cannot be shown. */
  show(index: number): Promise<void>;
  readonly state: StackState;
  readonly window: Window;
  /** Null: each frame's own table or window as its header says. */
  setWindow(window: Window | null): void;
  /** This VOI lookup table of the frame on the screen, by its place in the manifest, and the like of it for the others. */
  setTable(place: number): void;
  invert(inverted: boolean): void;
  /** "fit" fills the place, "actual" is one screen pixel for each image pixel, a number is that factor of "actual". */
  zoom(factor: number | "fit" | "actual" | "in" | "out"): void;
  /** Turns by degrees clockwise, on top of what is turned already. */
  rotate(degrees: number): void;
  flip(axis: "horizontal" | "vertical"): void;
  /** Window, zoom, pan, turn and inversion as at the start; measurements stay. */
  reset(): void;
  /** What the left button and one finger do. Two fingers zoom and pan, the middle button pans, the right one zooms. */
  tool(name: ToolName): void;
  clearMeasurements(): void;
  /** The one that is marked: drawn or touched last. */
  clearMeasurement(): void;
  /** What lies at this point of the element, in CSS pixels; null beside the picture or before it is drawn. */
  probe(x: number, y: number): Probe | null;
  /** Called after each drawn change; the "scroll" tool changes `index` here too. Gives back how to stop. */
  onChange(listener: (state: StackState) => void): () => void;
  /** The element has another size now. */
  resize(): void;
  destroy(): void;
}

/** `import("@/lib/cornerstone/stack")`: a chunk of its own, as large as all other pages together. */
export type OpenStack = (element: HTMLDivElement, load: SeriesLoad, brush?: Brush) => Promise<StackView>;
