import { describe, expect, test } from "vitest";

import type { StackState, StackView } from "@/lib/cornerstone/types";

import { edgeLetters, mirrored, turned, UPRIGHT } from "./edges";
import { Viewing } from "./viewing";

const REF = { studyUid: "1.2", seriesUid: "1.2.3" };

/** A screen that draws when it is told to, and a clock in steps. */
class Desk {
  viewed: [number, number][] = [];
  asked: number[] = [];
  draw: (() => void)[] = [];
  ticks: ((now: number) => void)[] = [];
  told: (state: StackState) => void = () => undefined;
  fails = false;

  readonly viewing = new Viewing({
    loader: { view: (_, index, way) => this.viewed.push([index, way]) },
    load: { ref: REF },
    total: 100,
    first: 49,
    fps: 10,
    tool: "window",
    nextPicture: (run) => {
      this.ticks.push(run);
      return () => {
        this.ticks = this.ticks.filter((each) => each !== run);
      };
    },
  });

  readonly stack = {
    tool: () => undefined,
    show: (index: number) => {
      this.asked.push(index);
      if (this.fails) return Promise.reject(new Error("This image cannot be decoded."));
      return new Promise<void>((resolve) =>
        this.draw.push(() => {
          this.told({ index, window: { center: 40, width: 400 }, table: null, zoom: 1, inverted: false, rendered: 4 });
          resolve();
        }),
      );
    },
    onChange: (listener: (state: StackState) => void) => {
      this.told = listener;
      return () => undefined;
    },
  } as unknown as StackView;

  async drawn() {
    for (const draw of this.draw.splice(0)) draw();
    await Promise.resolve();
    await Promise.resolve();
  }

  tick(now: number) {
    for (const run of this.ticks.splice(0)) run(now);
  }
}

describe("a series on the screen", () => {
  test("tells the loader where one is and which way one goes", async () => {
    const desk = new Desk();
    desk.viewing.attach(desk.stack);
    await desk.drawn();
    desk.viewing.step(1);
    desk.viewing.step(-10);
    desk.viewing.goTo(500);
    desk.viewing.step(1);
    expect(desk.viewed).toEqual([[49, 0], [49, 0], [50, 1], [40, -1], [99, 1]]);
    expect(desk.viewing.getState().index).toBe(99);
  });

  test("follows a finger that scrolls, but no picture that is behind", async () => {
    const desk = new Desk();
    desk.viewing.attach(desk.stack);
    desk.viewing.goTo(60);
    desk.draw.shift()?.();
    expect(desk.viewing.getState().index).toBe(60);
    await desk.drawn();
    desk.told({ index: 57, window: { center: 1, width: 2 }, table: null, zoom: 1, inverted: false, rendered: 1 });
    expect(desk.viewing.getState().index).toBe(57);
    expect(desk.viewed.at(-1)).toEqual([57, -1]);
  });

  test("plays round and round, waits for pictures that are late, and stops where somebody scrolls", async () => {
    const desk = new Desk();
    desk.viewing.attach(desk.stack);
    desk.viewing.goTo(98);
    await desk.drawn();
    desk.viewing.play();
    desk.tick(0);
    desk.tick(200);
    expect(desk.viewing.getState().index).toBe(0);
    desk.tick(400);
    expect(desk.viewing.getState().index).toBe(0);
    await desk.drawn();
    desk.tick(500);
    expect(desk.viewing.getState().index).toBe(1);
    desk.viewing.step(1);
    expect(desk.viewing.getState()).toMatchObject({ isPlaying: false, index: 2 });
    expect(desk.ticks).toEqual([]);
    desk.viewing.stop();
    expect(desk.viewing.getState().index).toBe(0);
  });

  test("says why an image cannot be shown, until another one is wanted", async () => {
    const desk = new Desk();
    desk.fails = true;
    desk.viewing.attach(desk.stack);
    await desk.drawn();
    expect(desk.viewing.getState().problem).toBe("This image cannot be decoded.");
    desk.fails = false;
    desk.viewing.step(1);
    expect(desk.viewing.getState().problem).toBeNull();
  });
});

describe("the edges of a picture", () => {
  const axial = [1, 0, 0, 0, 1, 0];

  test("of an axial slice are anterior, left, posterior, right", () => {
    expect(edgeLetters(axial, UPRIGHT)).toEqual(["A", "L", "P", "R"]);
    expect(edgeLetters([0, 1, 0, 0, 0, -1], UPRIGHT)).toEqual(["H", "P", "F", "A"]);
    expect(edgeLetters(null, UPRIGHT)).toEqual(["", "", "", ""]);
  });

  test("turn and mirror with it", () => {
    expect(edgeLetters(axial, turned(UPRIGHT))).toEqual(["R", "A", "L", "P"]);
    expect(edgeLetters(axial, mirrored(UPRIGHT, "horizontal"))).toEqual(["A", "R", "P", "L"]);
    expect(edgeLetters(axial, mirrored(turned(UPRIGHT), "vertical"))).toEqual(["L", "A", "R", "P"]);
    expect(edgeLetters([0.8, 0.6, 0, -0.6, 0.8, 0], UPRIGHT)[1]).toBe("LP");
  });
});
