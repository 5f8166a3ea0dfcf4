/** One series on the screen: where one is, what the film does, how it is shown. Knows neither React nor Cornerstone, so that tests need neither. */
import type { Probe, StackState, StackView, ToolName, Window } from "@/lib/cornerstone/types";
import type { FrameLoader, SeriesLoad } from "@/lib/frames/types";

import { CineClock, keptFps, stepped } from "./cine";
import { mirrored, turned, UPRIGHT, type Edges } from "./edges";
import { clamped } from "./place";

export interface ViewingState {
  /** The image that is wanted; what is on the screen may be a moment behind. */
  index: number;
  isPlaying: boolean;
  fps: number;
  tool: ToolName;
  edges: Edges;
  /** What is on the screen; null before the first image. */
  screen: StackState | null;
  /** Why the wanted image cannot be shown. */
  problem: string | null;
}

/** Runs something with the next picture of the screen; gives back how to call it off. */
export type NextPicture = (run: (now: number) => void) => () => void;

export interface ViewingParts {
  loader: Pick<FrameLoader, "view">;
  load: Pick<SeriesLoad, "ref">;
  total: number;
  first: number;
  fps: number;
  tool: ToolName;
  nextPicture: NextPicture;
}

export class Viewing {
  readonly total: number;
  private state: ViewingState;
  private stack: StackView | null = null;
  private quiet: () => void = () => undefined;
  private stopFilm: () => void = () => undefined;
  private waiting = 0;
  private readonly listeners = new Set<() => void>();

  constructor(private readonly parts: ViewingParts) {
    this.total = parts.total;
    const index = clamped(parts.first, parts.total);
    this.state = { index, isPlaying: false, fps: keptFps(parts.fps), tool: parts.tool, edges: UPRIGHT, screen: null, problem: null };
    parts.loader.view(parts.load.ref, index, 0);
  }

  readonly getState = (): ViewingState => this.state;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  /** Shows itself on this stack from now on. */
  attach(stack: StackView): void {
    this.stack = stack;
    this.quiet = stack.onChange((screen) => this.drawn(screen));
    stack.tool(this.state.tool);
    void this.show(this.state.index, 0);
  }

  /** The screen goes away; what was wanted stays wanted. */
  detach(): void {
    this.pause();
    this.quiet();
    this.stack = null;
  }

  goTo(index: number): void {
    this.pause();
    this.move(clamped(index, this.total));
  }

  step(by: number): void {
    this.goTo(this.state.index + by);
  }

  /** The same image once more, after it failed. */
  again(): void {
    void this.show(this.state.index, 0);
  }

  play(): void {
    if (this.state.isPlaying || this.total < 2) return;
    this.become({ isPlaying: true });
    const clock = new CineClock(this.state.fps);
    let callOff: () => void = () => undefined;
    const tick = (now: number) => {
      clock.fps = this.state.fps;
      const steps = clock.due(now);
      // A picture that is not drawn yet is waited for: a film that stumbles tells more than one that leaves images out unseen.
      if (steps > 0 && this.waiting === 0) this.move(stepped(this.state.index, steps, this.total));
      callOff = this.parts.nextPicture(tick);
    };
    callOff = this.parts.nextPicture(tick);
    this.stopFilm = () => callOff();
  }

  pause(): void {
    if (!this.state.isPlaying) return;
    this.stopFilm();
    this.become({ isPlaying: false });
  }

  /** Back to the first image. */
  stop(): void {
    this.goTo(0);
  }

  setFps(fps: number): void {
    this.become({ fps: keptFps(fps) });
  }

  setTool(tool: ToolName): void {
    this.stack?.tool(tool);
    this.become({ tool });
  }

  setWindow(window: Window | null): void {
    this.stack?.setWindow(window);
  }

  /** A lookup table of the image on the screen, by its place in the manifest. */
  setTable(place: number): void {
    this.stack?.setTable(place);
  }

  invert(): void {
    this.stack?.invert(!(this.state.screen?.inverted ?? false));
  }

  zoom(factor: number | "fit" | "actual" | "in" | "out"): void {
    this.stack?.zoom(factor);
  }

  rotate(quarters: 1 | -1): void {
    this.stack?.rotate(90 * quarters);
    const { edges } = this.state;
    this.become({ edges: quarters === 1 ? turned(edges) : turned(turned(turned(edges))) });
  }

  flip(axis: "horizontal" | "vertical"): void {
    this.stack?.flip(axis);
    this.become({ edges: mirrored(this.state.edges, axis) });
  }

  reset(): void {
    this.stack?.reset();
    this.become({ edges: UPRIGHT });
  }

  clearMeasurements(): void {
    this.stack?.clearMeasurements();
  }

  clearMeasurement(): void {
    this.stack?.clearMeasurement();
  }

  probe(x: number, y: number): Probe | null {
    return this.stack?.probe(x, y) ?? null;
  }

  private move(index: number): void {
    const way = Math.sign(index - this.state.index) as -1 | 0 | 1;
    if (way === 0) return;
    this.become({ index, problem: null });
    void this.show(index, way);
  }

  private async show(index: number, way: -1 | 0 | 1): Promise<void> {
    this.parts.loader.view(this.parts.load.ref, index, way);
    const { stack } = this;
    if (stack === null) return;
    this.waiting += 1;
    try {
      await stack.show(index);
      if (this.state.index === index && this.state.problem !== null) this.become({ problem: null });
    } catch (error) {
      if (this.stack === stack && this.state.index === index) this.become({ problem: error instanceof Error ? error.message : String(error) });
    } finally {
      this.waiting -= 1;
    }
  }

  /** A picture was drawn: one that was asked for here, or one that a finger or the mouse scrolled to. */
  private drawn(screen: StackState): void {
    const scrolled = this.waiting === 0 && screen.index !== this.state.index;
    const way = Math.sign(screen.index - this.state.index) as -1 | 0 | 1;
    this.become(scrolled ? { screen, index: screen.index, problem: null } : { screen });
    if (scrolled) this.parts.loader.view(this.parts.load.ref, screen.index, way);
  }

  private become(change: Partial<ViewingState>): void {
    this.state = { ...this.state, ...change };
    for (const listener of this.listeners) listener();
  }
}
