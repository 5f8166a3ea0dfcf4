import { describe, expect, test } from "vitest";

import { fitScale, moved, rotated, transformOf, WHOLE, zoomed } from "./view";

const STAGE = { width: 1000, height: 500 };
const PICTURE = { width: 2000, height: 1500 };

test("the whole picture fits, turned too, and a small one is not blown up without end", () => {
  expect(fitScale(PICTURE, STAGE, 0)).toBeCloseTo(1 / 3);
  expect(fitScale(PICTURE, STAGE, 1)).toBeCloseTo(0.25);
  expect(fitScale({ width: 10, height: 10 }, STAGE, 0)).toBe(4);
  expect(fitScale({ width: 0, height: 0 }, STAGE, 0)).toBe(1);
});

describe("zooming", () => {
  test("keeps what lies under the pointer", () => {
    const at = { x: 100, y: -50 };
    const view = zoomed({ ...WHOLE, zoom: 3 }, 2, at, PICTURE, STAGE);
    expect(view.zoom).toBe(6);
    // Picture coordinates under the pointer, before and after.
    expect((at.x - view.x) / view.zoom).toBeCloseTo(at.x / 3);
    expect((at.y - view.y) / view.zoom).toBeCloseTo(at.y / 3);
  });

  test("ends at the whole picture and at eight screen pixels for one of the picture's", () => {
    expect(zoomed({ ...WHOLE, zoom: 2, x: 30 }, 0.01, { x: 0, y: 0 }, PICTURE, STAGE)).toEqual(WHOLE);
    expect(zoomed(WHOLE, 1000, { x: 0, y: 0 }, PICTURE, STAGE).zoom).toBeCloseTo(24);
  });
});

test("a picture moves to its edge and no further; a whole one stays in the middle", () => {
  expect(moved(WHOLE, { x: 50, y: 50 }, PICTURE, STAGE)).toEqual(WHOLE);
  const far = moved({ ...WHOLE, zoom: 3 }, { x: 9999, y: -9999 }, PICTURE, STAGE);
  expect(far.x).toBeCloseTo((2000 - 1000) / 2);
  expect(far.y).toBeCloseTo(-(1500 - 500) / 2);
});

test("four quarter turns are none, either way", () => {
  expect([1, 1, 1, 1].reduce((view) => rotated(view, 1), { ...WHOLE, zoom: 3 })).toEqual(WHOLE);
  expect(rotated(WHOLE, -1).turns).toBe(3);
  expect(transformOf(rotated(WHOLE, 1), PICTURE, STAGE)).toContain("rotate(90deg) scale(0.25)");
});
