/** Where the bars of a chart by day stand. */
import type { Day } from "./share-api";

export type Series = "created" | "downloads" | "refused";

const ORDER: readonly Series[] = ["created", "downloads", "refused"];

export interface Bar {
  name: Series;
  place: number;
  x: number;
  y: number;
  width: number;
  height: number;
}

/** Three bars side by side for each day, within a box; `most` is the even number that the highest of them fits under. */
export function bars(days: readonly Day[], width: number, height: number): { most: number; boxes: Bar[] } {
  const highest = Math.max(1, ...days.flatMap((day) => ORDER.map((name) => day[name])));
  const most = niceAbove(highest);
  const step = width / Math.max(1, days.length);
  const thin = Math.min((step * 0.75) / ORDER.length, 14);
  const boxes = days.flatMap((day, place) =>
    ORDER.map((name, lane) => {
      const high = (day[name] / most) * height;
      return { name, place, x: place * step + (step - thin * ORDER.length) / 2 + lane * thin, y: height - high, width: thin * 0.9, height: high };
    }).filter((bar) => bar.height > 0),
  );
  return { most, boxes };
}

/** 2, 4, 10, 20, 40, 100 …: its half is a whole number. */
function niceAbove(value: number): number {
  for (let scale = 1; ; scale *= 10) {
    for (const step of [2, 4, 10]) if (step * scale >= value) return step * scale;
  }
}
