/** Names of pictures as Cornerstone knows them (`rr:<set>/<index>`), and what a name stands for. */
import { describe, seriesKey } from "@/lib/frames/describe";
import type { Frame, Manifest, SeriesLoad } from "@/lib/frames/types";

export const SCHEME = "rr";

/** One version of one series. A changed series is another set: none of its pictures is mistaken for an old one. */
export interface PictureSet {
  readonly number: number;
  readonly manifest: Manifest;
  load: SeriesLoad;
}

const byName = new Map<string, PictureSet>();
const byNumber = new Map<number, PictureSet>();
let last = 0;

/** The set of a series that has its manifest. */
export function pictureSet(load: SeriesLoad, manifest: Manifest): PictureSet {
  const name = `${seriesKey(load.ref)}@${manifest.version}`;
  let set = byName.get(name);
  if (set === undefined) {
    last += 1;
    set = { number: last, manifest, load };
    byName.set(name, set);
    byNumber.set(set.number, set);
  }
  set.load = load;
  return set;
}

/** What one person has looked at is not there for the next one; numbers are never given twice. */
export function forgetPictures(): void {
  byName.clear();
  byNumber.clear();
}

/** Measurements belong to one series: series of one frame of reference do not show each other's. */
export function placeOfMeasurements({ seriesUid }: Manifest): string {
  return `${seriesUid}.rr`;
}

export function pictureName(set: PictureSet, index: number): string {
  return `${SCHEME}:${set.number}/${index}`;
}

/** What a name stands for; null for names that are not ours. */
export function pictureOf(name: string): { set: PictureSet; index: number } | null {
  const parts = /^rr:(\d+)\/(\d+)$/.exec(name);
  const set = parts === null ? undefined : byNumber.get(Number(parts[1]));
  return set === undefined ? null : { set, index: Number(parts?.[2]) };
}

export function frameOf(name: string): { set: PictureSet; frame: Frame } | null {
  const found = pictureOf(name);
  const frame = found === null ? null : describe(found.set.manifest, found.index);
  return found === null || frame === null ? null : { set: found.set, frame };
}
