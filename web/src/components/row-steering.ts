/** The arrow keys of a list: from the search box into the rows, from row to row, back up into the box. A row's link carries `data-row-link`. */
import type { KeyboardEvent } from "react";

const STEPS: Record<string, number> = { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1 };

/** On a row's link: arrows (or j and k) go to the next and previous row; Enter opens it as any link. */
export function steerRows(event: KeyboardEvent<HTMLElement>): void {
  const step = STEPS[event.key];
  if (step === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
  const links = rowLinks();
  const place = links.indexOf(event.currentTarget);
  const next = place + step < 0 ? document.querySelector<HTMLElement>("[data-row-search]") : links[place + step];
  if (next === undefined || next === null) return;
  event.preventDefault();
  next.focus();
}

/** On the search box: arrow down leads to the first row. */
export function toFirstRow(event: KeyboardEvent): void {
  const first = event.key === "ArrowDown" ? rowLinks()[0] : undefined;
  if (first === undefined) return;
  event.preventDefault();
  first.focus();
}

function rowLinks(): HTMLElement[] {
  return [...document.querySelectorAll<HTMLElement>("[data-row-link]")];
}
