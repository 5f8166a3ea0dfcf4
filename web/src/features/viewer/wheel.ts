/** The wheel as steps through a series: mice tell notches or pixels, pads many small pixels; the reader says how fast. */

export const SENSITIVITY_LEAST = 0.5;
export const SENSITIVITY_MOST = 3;

/** Pixels that one notch of a common mouse tells. */
const NOTCH_PX = 100;
/** What one line is in pixels where a browser counts in lines: three of them are a notch. */
const LINE_PX = NOTCH_PX / 3;
/** A pad's swipe is felt as one movement as long as no pause is longer. */
const PAUSE_MS = 250;

export interface Turn {
  deltaY: number;
  deltaMode: number;
  /** Milliseconds. */
  at: number;
}

export class WheelSteering {
  private rest = 0;
  private last = -Infinity;

  constructor(public sensitivity: number) {}

  /** Images to go on (down) or back (up). A turn of any strength after a pause gives at least one. */
  steps({ deltaY, deltaMode, at }: Turn): number {
    if (deltaY === 0) return 0;
    const way = Math.sign(deltaY);
    const pixels = deltaMode === 1 ? deltaY * LINE_PX : deltaMode === 2 ? deltaY * NOTCH_PX * 3 : deltaY;
    const isNew = at - this.last > PAUSE_MS || Math.sign(this.rest) === -way;
    this.last = at;
    if (isNew) this.rest = 0;
    this.rest += (pixels / NOTCH_PX) * this.sensitivity;
    // The first move answers at once: nobody turns twice to see whether it works.
    if (isNew && Math.abs(this.rest) < 1) {
      this.rest = 0;
      return way;
    }
    const steps = Math.trunc(this.rest);
    this.rest -= steps;
    return steps;
  }
}
