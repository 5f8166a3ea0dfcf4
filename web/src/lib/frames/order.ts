/** In which order the frames of a series are wanted, and how that is said to the server. */

/** Frames on either side of the one on the screen that come before all others. */
export const NEAR = 3;

export type Direction = -1 | 0 | 1;

/** A frame, or a run of them; downwards when the last is the smaller. */
export type Span = number | [first: number, last: number];

/** All indices: the current one, its neighbours, on in the scroll direction, then what is left from the middle outwards. */
export function* wantedOrder(total: number, current: number, direction: Direction): Generator<number> {
  if (total <= 0) return;
  const start = Math.min(Math.max(0, Math.trunc(current)), total - 1);
  const ahead = direction === -1 ? -1 : 1;
  const inside = (index: number) => index >= 0 && index < total;
  yield start;
  for (let step = 1; step <= NEAR; step += 1) {
    if (inside(start + ahead * step)) yield start + ahead * step;
    if (inside(start - ahead * step)) yield start - ahead * step;
  }
  if (direction === 0) {
    for (let step = NEAR + 1; step < total; step += 1) {
      if (inside(start + step)) yield start + step;
      if (inside(start - step)) yield start - step;
    }
    return;
  }
  for (let index = start + ahead * (NEAR + 1); inside(index); index += ahead) yield index;
  for (let index = start - ahead * (NEAR + 1); inside(index); index -= ahead) yield index;
}

/** The same order as runs, so that four hundred frames are a short request. */
export function spans(order: readonly number[]): Span[] {
  const out: Span[] = [];
  let from = 0;
  while (from < order.length) {
    const first = order[from] ?? 0;
    const step = (order[from + 1] ?? first) - first;
    let to = from;
    if (Math.abs(step) === 1) while (order[to + 1] === (order[to] ?? 0) + step) to += 1;
    out.push(to === from ? first : [first, order[to] ?? first]);
    from = to + 1;
  }
  return out;
}
