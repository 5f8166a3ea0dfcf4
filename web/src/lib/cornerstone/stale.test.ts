import { describe, expect, it } from "vitest";

import { Stale } from "@/lib/cornerstone/stale";

const noise = (seed: number, length: number) => Int16Array.from({ length }, (_, at) => (at * seed * 7919) % 4001);
const bytes = (...values: number[]) => Uint8Array.from(values);

describe("Stale", () => {
  it("notices pixels that came from other bytes", () => {
    const stale = new Stale();
    expect(stale.has(bytes(1, 2, 3), noise(1, 10_000))).toBe(false);
    expect(stale.has(bytes(9, 9), noise(2, 10_000))).toBe(false);
    expect(stale.has(bytes(1, 2, 4), noise(1, 10_000))).toBe(true);
  });

  it("lets the same frame be decoded again", () => {
    const stale = new Stale();
    expect(stale.has(bytes(1, 2, 3), noise(1, 100))).toBe(false);
    expect(stale.has(bytes(1, 2, 3), noise(1, 100))).toBe(false);
  });

  it("lets empty pictures be alike", () => {
    const stale = new Stale();
    expect(stale.has(bytes(1), new Int16Array(9000))).toBe(false);
    expect(stale.has(bytes(2), new Int16Array(9000))).toBe(false);
  });
});
