/** Frames held in the worker's memory: bounded, and what lies farthest from the screen goes first. */
import type { FrameRecord } from "@/lib/frames/records";

interface Held {
  record: FrameRecord;
  series: string;
  /** The browser has it too: it may go without a word. */
  kept: boolean;
}

export class FrameMemory {
  private readonly held = new Map<string, Map<number, Held>>();
  private viewed: { series: string; index: number } | null = null;
  bytes = 0;

  constructor(readonly budget: number) {}

  put(series: string, record: FrameRecord): void {
    let frames = this.held.get(series);
    if (frames === undefined) this.held.set(series, (frames = new Map<number, Held>()));
    const before = frames.get(record.index);
    if (before !== undefined) this.bytes -= before.record.data.byteLength;
    frames.set(record.index, { record, series, kept: false });
    this.bytes += record.data.byteLength;
  }

  get(series: string, index: number): FrameRecord | null {
    return this.held.get(series)?.get(index)?.record ?? null;
  }

  view(series: string, index: number): void {
    this.viewed = { series, index };
  }

  setKept(series: string, indices: readonly number[]): void {
    const frames = this.held.get(series);
    for (const index of indices) {
      const held = frames?.get(index);
      if (held !== undefined) held.kept = true;
    }
  }

  drop(series: string): void {
    for (const held of this.held.get(series)?.values() ?? []) this.bytes -= held.record.data.byteLength;
    this.held.delete(series);
  }

  clear(): void {
    this.held.clear();
    this.bytes = 0;
  }

  /** Frames are let go until the budget holds; gives those that now are nowhere, by series. `mayLose`: they may be such. */
  trim(mayLose: boolean): Map<string, number[]> {
    const lost = new Map<string, number[]>();
    if (this.bytes <= this.budget) return lost;
    const candidates = [...this.held.values()].flatMap((frames) => [...frames.values()]);
    const ranked = candidates
      .filter((each) => each.kept || mayLose)
      .map((each) => ({ each, far: this.distance(each) }))
      .sort((a, b) => b.far - a.far);
    // A little more than needed, so that not every frame sorts the lot again.
    const aim = this.budget * 0.95;
    for (const { each } of ranked) {
      if (this.bytes <= aim) break;
      const { record, series } = each;
      this.held.get(series)?.delete(record.index);
      this.bytes -= record.data.byteLength;
      if (!each.kept) lost.set(series, [...(lost.get(series) ?? []), record.index]);
    }
    return lost;
  }

  private distance({ series, record, kept }: Held): number {
    if (this.viewed?.series !== series) return Number.MAX_SAFE_INTEGER - (kept ? 0 : 1);
    return Math.abs(record.index - this.viewed.index);
  }
}
