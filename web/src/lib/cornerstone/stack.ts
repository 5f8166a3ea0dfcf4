/** One stack of pictures in an element of the page, drawn by Cornerstone. */
import { cache, Enums, eventTarget, getShouldUseCPURendering, imageLoader, type StackViewport, type Types, utilities } from "@cornerstonejs/core";

import { Ahead } from "@/lib/cornerstone/ahead";
import { giveCanvas, takeBrushFor } from "@/lib/cornerstone/brush";
import { ready } from "@/lib/cornerstone/init";
import { Look } from "@/lib/cornerstone/look";
import { frameOf, pictureName, pictureOf, pictureSet, type PictureSet, placeOfMeasurements } from "@/lib/cornerstone/pictures";
import { probeAt } from "@/lib/cornerstone/probe";
import { Hands } from "@/lib/cornerstone/tools";
import type { OpenStack, Probe, StackState, StackView, ToolName, Window } from "@/lib/cornerstone/types";
import { manifestOf } from "@/lib/cornerstone/wait";
import { type FrameLuts, lutsOf } from "@/lib/frames/luts";
import type { Direction } from "@/lib/frames/order";
import type { SeriesLoad } from "@/lib/frames/types";

const STEP = 1.25;
/** A hidden tab draws nothing: then a picture counts as shown when it has been handed over. */
const HIDDEN_MS = 500;

export { ready };

let count = 0;

/** Opens a stack as soon as the series has its manifest; rejects with a LoadProblem when it cannot be had. */
export const openStack: OpenStack = async (element, load, brush = "auto") => {
  // Cornerstone starts while the manifest is on its way.
  ready();
  takeBrushFor(await manifestOf(load), brush);
  return new Stack(element, load);
};

class Stack implements StackView {
  state: StackState = { index: 0, window: { center: 0, width: 1 }, table: null, zoom: 1, inverted: false, rendered: 0 };
  private readonly engine = ready();
  private readonly id: string;
  private readonly viewport: StackViewport;
  private readonly hands: Hands;
  private readonly look: Look;
  private readonly listeners = new Set<(state: StackState) => void>();
  private readonly drawn = new Set<() => void>();
  private readonly stopFollowing: () => void;
  private set: PictureSet | null = null;
  private ahead: Ahead | null = null;
  private names: string[] = [];
  private latest = 0;
  private shownTurn = 0;
  private wanted = 0;
  private askedAt = 0;
  private isOver = false;

  constructor(
    private readonly element: HTMLDivElement,
    private readonly load: SeriesLoad,
  ) {
    count += 1;
    this.id = `stack-${count}`;
    this.engine.enableElement({ viewportId: this.id, element, type: Enums.ViewportType.STACK });
    this.viewport = this.engine.getViewport<StackViewport>(this.id);
    giveCanvas(this.viewport);
    this.hands = new Hands(this.id, this.engine.id);
    this.look = new Look(element, this.viewport, () => this.luts());
    element.addEventListener(Enums.Events.IMAGE_RENDERED, this.rendered);
    this.stopFollowing = load.subscribe(() => this.loadChanged());
  }

  get window(): Window {
    return this.state.window;
  }

  async show(index: number): Promise<void> {
    const { manifest } = this.load;
    if (this.isOver || manifest === null) return;
    this.latest += 1;
    const turn = this.latest;
    this.askedAt = performance.now();
    const set = pictureSet(this.load, manifest);
    const direction = Math.sign(index - this.wanted) as Direction;
    this.wanted = index;
    const decoded = imageLoader.loadAndCacheImage(pictureName(set, index), this.options("interaction"));
    this.ahead?.around(index, direction);
    await decoded;
    if (this.hasEnded() || turn < this.shownTurn || (turn !== this.latest && this.isDecoded(set, this.wanted))) return;
    // Overtaken and yet shown: who scrolls faster than pictures are decoded sees what comes, not nothing until the hand rests.
    this.shownTurn = turn;
    const shown = this.nextDrawing();
    // Cornerstone keeps what goes wrong while it lays a picture out to itself, but for this event.
    const problems: unknown[] = [];
    const hear = (event: unknown) => problems.push((event as CustomEvent).detail);
    eventTarget.addEventListener(Enums.Events.IMAGE_LOAD_ERROR, hear);
    try {
      if (this.set === set) await this.viewport.setImageIdIndex(index);
      else await this.begin(set, index);
    } finally {
      eventTarget.removeEventListener(Enums.Events.IMAGE_LOAD_ERROR, hear);
    }
    if (problems.length > 0) throw new Error("This picture cannot be drawn.", { cause: problems[0] });
    if (this.hasEnded()) return;
    await shown;
  }

  setWindow(window: Window | null): void {
    if (window === null) {
      const { inverted } = this.state;
      this.look.forget();
      this.invert(inverted);
      return;
    }
    this.look.choose(window);
    this.viewport.render();
  }

  setTable(place: number): void {
    this.look.chooseTable(place);
    this.viewport.render();
  }

  /** As seen: a picture whose low values are white by its header counts as not inverted. */
  invert(inverted: boolean): void {
    this.look.invert(inverted !== this.isWhiteLow());
    this.viewport.render();
  }

  zoom(factor: number | "fit" | "actual" | "in" | "out"): void {
    if (factor === "fit") this.viewport.resetCamera({ resetPan: true, resetZoom: true });
    else {
      const wanted = typeof factor === "number" ? factor : { actual: 1, in: this.scale() * STEP, out: this.scale() / STEP }[factor];
      const { parallelScale } = this.viewport.getCamera();
      if (parallelScale !== undefined) this.viewport.setCamera({ parallelScale: (parallelScale * this.scale()) / wanted });
    }
    this.viewport.render();
  }

  rotate(degrees: number): void {
    const now = this.viewport.getViewPresentation();
    const rotation = ((((now.rotation ?? 0) + degrees) % 360) + 360) % 360;
    this.viewport.setViewPresentation({ ...now, rotation });
    this.viewport.render();
  }

  flip(axis: "horizontal" | "vertical"): void {
    const { flipHorizontal = false, flipVertical = false } = this.viewport.getCamera();
    const { rotation = 0 } = this.viewport.getViewPresentation();
    // Shaders mirror the screen, the processor the picture before it is turned.
    const isAside = getShouldUseCPURendering() && Math.round(rotation / 90) % 2 === 1;
    this.viewport.setCamera((axis === "horizontal") !== isAside ? { flipHorizontal: !flipHorizontal } : { flipVertical: !flipVertical });
    this.viewport.render();
  }

  reset(): void {
    this.viewport.setViewPresentation({ ...this.viewport.getViewPresentation(), rotation: 0, flipHorizontal: false, flipVertical: false });
    this.viewport.resetCamera({ resetPan: true, resetZoom: true });
    this.look.forget();
    this.viewport.render();
  }

  tool(name: ToolName): void {
    this.hands.take(name);
  }

  clearMeasurements(): void {
    if (this.set !== null) this.hands.clear(placeOfMeasurements(this.set.manifest));
    this.viewport.render();
  }

  clearMeasurement(): void {
    if (this.set !== null) this.hands.clearOne(placeOfMeasurements(this.set.manifest));
    this.viewport.render();
  }

  probe(x: number, y: number): Probe | null {
    return this.set === null ? null : probeAt(this.viewport, this.set, x, y);
  }

  onChange(listener: (state: StackState) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  resize(): void {
    if (this.element.clientWidth > 0 && this.element.clientHeight > 0) this.engine.resize(true, true);
  }

  destroy(): void {
    if (this.isOver) return;
    this.isOver = true;
    this.stopFollowing();
    this.ahead?.stop();
    this.element.removeEventListener(Enums.Events.IMAGE_RENDERED, this.rendered);
    for (const finish of this.drawn) finish();
    this.look.stop();
    this.hands.destroy();
    this.engine.disableElement(this.id);
  }

  private async begin(set: PictureSet, index: number): Promise<void> {
    this.ahead?.stop();
    this.set = set;
    this.ahead = new Ahead(set, this.options("prefetch"));
    this.names = Array.from({ length: set.manifest.frameCount }, (_, at) => pictureName(set, at));
    await this.viewport.setStack(this.names, index);
    this.ahead.around(index, 0);
  }

  private options(requestType: "interaction" | "prefetch"): { priority: number; requestType: never; useRGBA: boolean } {
    // As the viewport itself asks for them: else it would not take what is decoded already.
    return { priority: requestType === "interaction" ? -5 : 5, requestType: requestType as never, useRGBA: getShouldUseCPURendering() };
  }

  /** Other bytes, or another version of the series: its picture in the same place is shown. */
  private loadChanged(): void {
    this.ahead?.pump();
    const { manifest } = this.load;
    if (this.set === null || manifest === null || manifest.frameCount === 0) return;
    if (manifest.version !== this.set.manifest.version && pictureSet(this.load, manifest) !== this.set) {
      this.show(Math.min(this.state.index, manifest.frameCount - 1)).catch(() => undefined);
    }
  }

  private readonly rendered = (): void => {
    const name = this.viewport.getCurrentImageId() as string | undefined;
    const picture = name === undefined ? null : pictureOf(name);
    if (picture?.set !== this.set) return;
    const isNew = picture.index !== this.state.index || this.drawn.size > 0;
    const { voiRange, invert = false } = this.viewport.getProperties();
    this.state = {
      index: picture.index,
      window: windowOf(voiRange) ?? this.state.window,
      table: this.look.table?.place ?? null,
      zoom: this.scale(),
      inverted: invert !== this.isWhiteLow(),
      rendered: isNew ? performance.now() - this.askedAt : this.state.rendered,
    };
    for (const finish of [...this.drawn]) finish();
    for (const listener of [...this.listeners]) listener(this.state);
  };

  private nextDrawing(): Promise<void> {
    return new Promise((resolve) => {
      const finish = () => {
        clearTimeout(timer);
        this.drawn.delete(finish);
        resolve();
      };
      const timer = setTimeout(finish, HIDDEN_MS);
      this.drawn.add(finish);
    });
  }

  /** Screen pixels for each image pixel, down the screen. */
  private scale(): number {
    const image = this.viewport.getImageData() as Types.IImageData | undefined;
    const { parallelScale } = this.viewport.getCamera();
    if (image === undefined || parallelScale === undefined || parallelScale === 0) return 1;
    return (this.viewport.getCanvas().height * image.spacing[1]) / (2 * parallelScale);
  }

  private isWhiteLow(): boolean {
    const name = this.viewport.getCurrentImageId() as string | undefined;
    return name !== undefined && cache.getImage(name)?.invert === true;
  }

  /** The tables of the picture that is laid out. */
  private luts(): FrameLuts {
    const image = this.viewport.getCornerstoneImage() as Types.IImage | undefined;
    const found = image === undefined ? null : frameOf(image.imageId);
    return found === null ? { modality: null, voi: [] } : lutsOf(found.set.manifest, found.frame);
  }

  private isDecoded(set: PictureSet, index: number): boolean {
    return (cache.getImage(pictureName(set, index)) as unknown) !== undefined;
  }

  private hasEnded(): boolean {
    return this.isOver;
  }
}

function windowOf(range: Types.VOIRange | undefined): Window | null {
  if (range === undefined) return null;
  const { windowCenter, windowWidth } = utilities.windowLevel.toWindowLevel(range.lower, range.upper);
  return { center: windowCenter, width: windowWidth };
}
