/** The clock of a film: which image is on when, whatever the screen's own pace. */

export const FPS_LEAST = 1;
export const FPS_MOST = 60;

/** Slices are no film: an easy pace for those whose header tells none. */
const FPS_OF_SLICES = 12;

export function keptFps(fps: number): number {
  return Number.isFinite(fps) ? Math.min(FPS_MOST, Math.max(FPS_LEAST, Math.round(fps))) : FPS_OF_SLICES;
}

/** The pace at first: the film's own, by its FrameTime in milliseconds (PS3.3 section C.7.6.5). */
export function fpsOf(frameTime: number | null | undefined): number {
  return frameTime === null || frameTime === undefined || frameTime <= 0 ? FPS_OF_SLICES : keptFps(1000 / frameTime);
}

/** Counts time into whole steps; what is left of a step waits for the next tick, so that the pace holds over minutes. */
export class CineClock {
  private last: number | null = null;
  private rest = 0;

  constructor(public fps: number) {}

  /** Steps that are due at this moment, in milliseconds of any clock that only grows. The first tick begins to count. */
  due(now: number): number {
    if (this.last === null) {
      this.last = now;
      return 0;
    }
    // A tab that slept does not race through what it missed.
    this.rest += Math.min(now - this.last, 500) * (this.fps / 1000);
    this.last = now;
    const steps = Math.floor(this.rest + 1e-9);
    this.rest = Math.max(0, this.rest - steps);
    return steps;
  }
}

/** Where a film is after some steps: from the last image it goes on with the first. */
export function stepped(index: number, steps: number, total: number): number {
  return total <= 0 ? 0 : (((index + steps) % total) + total) % total;
}
