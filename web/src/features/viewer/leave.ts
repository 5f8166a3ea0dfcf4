/** Where a reader goes back to: the page that they came from, else the grid. */
export interface CameFrom {
  back?: string;
}

export function backOf(state: unknown): string | null {
  const back = (state as CameFrom | null)?.back;
  return typeof back === "string" && back.startsWith("/") && !back.startsWith("//") ? back : null;
}
