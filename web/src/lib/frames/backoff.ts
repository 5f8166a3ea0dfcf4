/** How long to wait before trying again. */

const FIRST_MS = 500;
const LONGEST_MS = 30_000;

/** Milliseconds before try number `failures` + 1: doubling from half a second up to 30 s, of which half is left to chance,
 * so that many viewers do not come back in one moment after an outage. A server that says when to come is believed. */
export function waitBefore(failures: number, retryAfterSeconds: number | null, chance: () => number = Math.random): number {
  const full = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.max(0, failures - 1));
  const wait = full / 2 + (chance() * full) / 2;
  return retryAfterSeconds === null ? wait : Math.max(retryAfterSeconds * 1000, FIRST_MS) + (chance() * FIRST_MS) / 2;
}
