/** When a picture is asked for again. */

const TRIES = 6;
const SHORTEST_SECONDS = 1;
const LONGEST_SECONDS = 60;
const UNTOLD_SECONDS = 5;

/** Seconds until the next try after an answer of that status; null: there is none. `tried` counts the tries before. */
export function againIn(status: number, retryAfter: string | null, tried: number): number | null {
  if (tried >= TRIES) return null;
  if (status === 200) return 0; // it has come meanwhile
  if (status !== 429 && status !== 503) return null;
  const told = retryAfter === null || !/^\s*\d+\s*$/.test(retryAfter) ? UNTOLD_SECONDS : Number(retryAfter);
  return Math.min(Math.max(told, SHORTEST_SECONDS), LONGEST_SECONDS);
}
