/** All series of a study in the loader's queue, opened one by one as they become known, closed together. */
import type { FrameLoader, SeriesLoad } from "@/lib/frames/types";

export type Loads = ReadonlyMap<string, SeriesLoad>;

export class StudyLoads {
  private loads: Loads = new Map();
  private readonly listeners = new Set<() => void>();

  constructor(
    private readonly loader: Pick<FrameLoader, "open" | "close">,
    private readonly studyUid: string,
  ) {}

  readonly getLoads = (): Loads => this.loads;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  /** Exactly these, in this order; those that are open already go on untouched. */
  want(seriesUids: readonly string[]): void {
    const wanted = [...new Set(seriesUids)];
    if (wanted.join(" ") === [...this.loads.keys()].join(" ")) return;
    const before = this.loads;
    this.loads = new Map(wanted.map((seriesUid) => [seriesUid, before.get(seriesUid) ?? this.loader.open({ studyUid: this.studyUid, seriesUid })]));
    for (const seriesUid of before.keys()) if (!this.loads.has(seriesUid)) this.loader.close({ studyUid: this.studyUid, seriesUid });
    for (const listener of this.listeners) listener();
  }
}
