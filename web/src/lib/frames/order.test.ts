import { expect, test } from "vitest";

import { waitBefore } from "@/lib/frames/backoff";
import { Line } from "@/lib/frames/line";
import { type Direction, spans, wantedOrder } from "@/lib/frames/order";

const order = (total: number, current: number, direction: Direction) => [...wantedOrder(total, current, direction)];

test("the frame on the screen comes first, then three on either side, then on in the scroll direction", () => {
  expect(order(12, 5, 1)).toEqual([5, 6, 4, 7, 3, 8, 2, 9, 10, 11, 1, 0]);
  expect(order(12, 5, -1)).toEqual([5, 4, 6, 3, 7, 2, 8, 1, 0, 9, 10, 11]);
});

test("without a direction it goes outwards on both sides", () => {
  expect(order(11, 5, 0)).toEqual([5, 6, 4, 7, 3, 8, 2, 9, 1, 10, 0]);
});

test("every frame is named once, from wherever it begins", () => {
  for (const total of [0, 1, 2, 7, 8, 40]) {
    for (const current of [-3, 0, 1, total - 1, total + 5, 3.7]) {
      for (const direction of [-1, 0, 1] as const) {
        expect(order(total, current, direction).sort((a, b) => a - b)).toEqual(Array.from({ length: total }, (_, at) => at));
      }
    }
  }
});

test("runs are said as spans, in the same order, up and down", () => {
  expect(spans([])).toEqual([]);
  expect(spans([4])).toEqual([4]);
  expect(spans([5, 6, 4, 7, 8, 9, 3, 2, 1])).toEqual([[5, 6], 4, [7, 9], [3, 1]]);
  for (const wanted of [order(30, 9, 1), order(30, 9, -1), order(30, 9, 0), [3, 1, 2, 2, 3]]) {
    const said = spans(wanted).flatMap((span) => {
      if (typeof span === "number") return [span];
      const step = span[1] < span[0] ? -1 : 1;
      return Array.from({ length: Math.abs(span[1] - span[0]) + 1 }, (_, at) => span[0] + at * step);
    });
    expect(said).toEqual(wanted);
  }
  expect(spans(order(400, 0, 1)).length).toBeLessThan(3);
});

test("waiting doubles up to half a minute, half of it left to chance, and believes the server", () => {
  const longest = () => 1;
  expect([1, 2, 3, 7, 20].map((failures) => waitBefore(failures, null, longest))).toEqual([500, 1000, 2000, 30_000, 30_000]);
  expect(waitBefore(3, null, () => 0)).toBe(1000);
  expect(waitBefore(1, 7, () => 0)).toBe(7000);
  expect(waitBefore(9, 0, () => 0)).toBe(500);
});

test("the line is fast until it is seen to be slow, and turns back only when it clearly is", () => {
  const line = new Line();
  expect([line.kind, line.bytesPerSecond]).toEqual(["fast", null]);
  expect(line.saw(2_000_000, 180, 4)).toBe(false);
  expect(line.saw(2_500_000, 230, 5)).toBe(true); // 11 MB/s
  expect(line.kind).toBe("slow");
  expect(line.saw(6_000_000, 200, 12)).toBe(false); // 30 MB/s: between the two
  expect(line.saw(6_000_000, 100, 12)).toBe(true);
  expect(line.kind).toBe("fast");
});

test("one stretch that a busy machine held up makes no slow line", () => {
  const line = new Line();
  line.saw(8_000_000, 100, 16);
  expect(line.saw(4_000_000, 900, 8)).toBe(false);
  expect(line.kind).toBe("fast");
});

test("a trickle is seen to be slow after a second, long before it has brought four megabytes", () => {
  const line = new Line();
  for (let time = 0; time < 3; time += 1) line.saw(200_000, 400, 1);
  expect(line.kind).toBe("slow");
});

test("small frames say nothing about the line: the server finds them no faster", () => {
  const line = new Line();
  for (let time = 0; time < 9; time += 1) line.saw(800_000, 1000, 100);
  expect([line.kind, line.bytesPerSecond]).toEqual(["fast", null]);
});
