/** In which greys a stack shows its pictures: each in its own window or table, or all in the one that was chosen. */
import { Enums, getShouldUseCPURendering, type StackViewport, type Types, utilities } from "@cornerstonejs/core";

import { WINDOW_DRAGGED } from "@/lib/cornerstone/tools";
import type { Window } from "@/lib/cornerstone/types";
import { type FrameLuts, greysOfLut, type Lut, riseOf } from "@/lib/frames/luts";

/** A table is remembered by what it is called and where it stands: another picture has one of its own in its place. */
type Choice = Window | { table: string; place: number };

/** More steps than the card has for the greys of a picture make no difference. */
const STEPS = 1024;

/** What the viewport has, and does not tell. */
interface Inside {
  setVOI: (range: Types.VOIRange | undefined, options: object) => void;
  _cpuFallbackEnabledElement?: { viewport?: { voiLUT?: TableOfProcessor | undefined } };
}

interface TableOfProcessor {
  id: string;
  firstValueMapped: number;
  lut: Uint8Array;
}

interface Ramp {
  buildFunctionFromTable: (start: number, end: number, size: number, table: ArrayLike<number>) => void;
}

export class Look {
  /** The table that greys come from; null for a window. */
  table: Lut | null = null;
  private choice: Choice | null = null;
  private isOver = false;

  constructor(
    private readonly element: HTMLDivElement,
    private readonly viewport: StackViewport,
    /** Of the picture on the screen. */
    private readonly luts: () => FrameLuts,
  ) {
    element.addEventListener(Enums.Events.STACK_NEW_IMAGE, this.changed);
    element.addEventListener(WINDOW_DRAGGED, this.dragged);
  }

  stop(): void {
    this.isOver = true;
    this.element.removeEventListener(Enums.Events.STACK_NEW_IMAGE, this.changed);
    this.element.removeEventListener(WINDOW_DRAGGED, this.dragged);
  }

  /** This window for all pictures. */
  choose(window: Window): void {
    this.choice = window;
    this.apply();
  }

  /** This table of the picture on the screen, and the like of it for the others. */
  chooseTable(place: number): void {
    const { voi } = this.luts();
    const at = voi.findIndex((lut) => lut.place === place);
    if (at < 0) return;
    this.choice = { table: voi[at]?.explanation ?? "", place: at };
    this.apply();
  }

  /** Each picture as its header says. */
  forget(): void {
    this.choice = null;
    this.straight();
    this.viewport.resetProperties();
    this.apply();
  }

  /** Steps of a table are not turned round one by one: it is laid anew. */
  invert(inverted: boolean): void {
    this.straight();
    this.viewport.setProperties({ invert: inverted });
    this.apply();
  }

  /** Before the next drawing, and after the viewport has laid the picture out to itself, which it does at this time. */
  private readonly changed = (): void => {
    queueMicrotask(() => {
      if (!this.isOver) this.apply();
    });
  };

  private readonly dragged = (): void => {
    const { voiRange } = this.viewport.getProperties();
    if (voiRange === undefined) return;
    this.straight();
    const { windowCenter, windowWidth } = utilities.windowLevel.toWindowLevel(voiRange.lower, voiRange.upper);
    this.choice = { center: windowCenter, width: windowWidth };
  };

  private apply(): void {
    const { choice } = this;
    if (choice !== null && "center" in choice) {
      this.straight();
      const { lower, upper } = utilities.windowLevel.toLowHighRange(Math.max(1.001, choice.width), choice.center, Enums.VOILUTFunctionType.LINEAR);
      this.viewport.setProperties({ voiRange: { lower, upper } });
      return;
    }
    const { voi } = this.luts();
    const lut = voi.find((each, at) => choice !== null && each.explanation === choice.table && at === choice.place)
      ?? voi.find(({ explanation }) => choice !== null && explanation === choice.table)
      ?? voi[0];
    if (lut === undefined) this.own();
    else this.follow(lut);
  }

  /** The window of the picture itself: drawing by processor would leave the one of the picture before, and so would the card after a table. */
  private own(): void {
    this.straight();
    if (!getShouldUseCPURendering() && this.viewport.getProperties().isComputedVOI === true) return;
    const image = this.viewport.getCornerstoneImage() as Types.IImage | undefined;
    if (image === undefined || image.color) return;
    const [center, width] = [image.windowCenter, image.windowWidth].map((value) => (Array.isArray(value) ? value[0] : value));
    if (center === undefined || width === undefined) return;
    this.viewport.setProperties({ voiRange: utilities.windowLevel.toLowHighRange(width, center, image.voiLUTFunction) });
  }

  /** Its window is the rise of the table: from there a hand goes on. */
  private follow(lut: Lut): void {
    this.straight();
    this.viewport.setProperties({ voiRange: riseOf(lut) });
    this.table = lut;
    if (getShouldUseCPURendering()) this.layForProcessor(lut);
    else this.layForCard(lut);
  }

  private layForProcessor(lut: Lut): void {
    const viewport = inside(this.viewport)._cpuFallbackEnabledElement?.viewport;
    if (viewport !== undefined) viewport.voiLUT = tableOf(lut);
  }

  private layForCard(lut: Lut): void {
    const { minPixelValue, maxPixelValue } = this.viewport.getCornerstoneImage();
    const greys = greysOfLut(lut);
    // Steps where the picture has values, as there are only so many.
    const lower = Math.min(Math.max(lut.first, minPixelValue), lut.first + greys.length - 2);
    const upper = Math.max(lower + 1, Math.min(lut.first + greys.length - 1, maxPixelValue));
    const size = Math.min(STEPS, upper - lower + 1);
    const isInverted = this.viewport.getProperties().invert === true;
    const ramp = new Float32Array(3 * size);
    for (let step = 0; step < size; step += 1) {
      const value = Math.round(lower + ((upper - lower) * step) / Math.max(1, size - 1));
      const grey = (greys[Math.max(0, value - lut.first)] ?? 0) / 255;
      ramp.fill(isInverted ? 1 - grey : grey, 3 * step, 3 * step + 3);
    }
    this.ramp()?.buildFunctionFromTable(lower, upper, size, ramp);
  }

  /** A straight ramp again, over the window that the viewport has now. */
  private straight(): void {
    if (this.table === null) return;
    this.table = null;
    if (getShouldUseCPURendering()) {
      const viewport = inside(this.viewport)._cpuFallbackEnabledElement?.viewport;
      if (viewport !== undefined) viewport.voiLUT = undefined;
      return;
    }
    const { voiRange, invert, VOILUTFunction } = this.viewport.getProperties();
    if (voiRange === undefined) return;
    const [low, high] = invert === true ? [1, 0] : [0, 1];
    if (VOILUTFunction === Enums.VOILUTFunctionType.SAMPLED_SIGMOID) inside(this.viewport).setVOI(voiRange, { forceRecreateLUTFunction: true });
    else this.ramp()?.buildFunctionFromTable(voiRange.lower, voiRange.upper, 2, [low, low, low, high, high, high]);
  }

  private ramp(): Ramp | undefined {
    const { actor } = this.viewport.getDefaultActor();
    return (actor as unknown as { getProperty: () => { getRGBTransferFunction: (component: number) => Ramp | undefined } }).getProperty().getRGBTransferFunction(0);
  }
}

function inside(viewport: StackViewport): Inside {
  return viewport as unknown as Inside;
}

const tables = new WeakMap<Lut, TableOfProcessor>();

/** Greys of 8 bits. Cornerstone takes the depth of a table from its greatest entry, and reads them all for it each time: here it finds 255 at once. */
function tableOf(lut: Lut): TableOfProcessor {
  let table = tables.get(lut);
  if (table === undefined) {
    const greys = greysOfLut(lut);
    Object.defineProperty(greys, Symbol.iterator, { value: () => [255][Symbol.iterator]() });
    table = { id: `lut-${(made += 1)}`, firstValueMapped: lut.first, lut: greys };
    tables.set(lut, table);
  }
  return table;
}

let made = 0;
