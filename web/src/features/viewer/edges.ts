/** Which side of the patient is at which edge of the picture, however it is turned. */

/** What of the untouched picture is now at top, right, bottom and left: 0 its top, 1 its right, 2 its bottom, 3 its left. */
export type Edges = readonly [top: number, right: number, bottom: number, left: number];

export const UPRIGHT: Edges = [0, 1, 2, 3];

/** After a quarter clockwise, what was on the left is on top. */
export function turned([top, right, bottom, left]: Edges): Edges {
  return [left, top, right, bottom];
}

/** Mirrored as it is seen: left and right change places, or top and bottom. */
export function mirrored([top, right, bottom, left]: Edges, axis: "horizontal" | "vertical"): Edges {
  return axis === "horizontal" ? [top, left, bottom, right] : [bottom, right, top, left];
}

/** The letters at top, right, bottom and left; empty where the header tells no orientation. */
export function edgeLetters(orientation: readonly number[] | null | undefined, edges: Edges): [string, string, string, string] {
  if (orientation?.length !== 6) return ["", "", "", ""];
  const row = orientation.slice(0, 3);
  const column = orientation.slice(3);
  const plain = [letters(column, -1), letters(row, 1), letters(column, 1), letters(row, -1)];
  return edges.map((edge) => plain[edge] ?? "") as [string, string, string, string];
}

/** Right and left, anterior and posterior, head and foot (PS3.3 section C.7.6.1.1.1), the stronger first; slight tilts are not told. */
const AXES = [
  ["L", "R"],
  ["P", "A"],
  ["H", "F"],
] as const;

function letters(direction: readonly number[], way: 1 | -1): string {
  return direction
    .map((value, axis) => ({ value: value * way, names: AXES[axis] }))
    .filter(({ value }) => Math.abs(value) > 0.25)
    .sort((one, other) => Math.abs(other.value) - Math.abs(one.value))
    .map(({ value, names }) => (value > 0 ? names?.[0] : names?.[1]) ?? "")
    .join("");
}
