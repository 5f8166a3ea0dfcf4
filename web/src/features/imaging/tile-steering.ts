/** The arrow keys among the small pictures: sideways in reading order, up and down to the nearest one of the next row. */
import type { KeyboardEvent } from "react";

export function steerTiles(event: KeyboardEvent<HTMLElement>): void {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const tiles = [...document.querySelectorAll<HTMLElement>("[data-tile]")];
  const place = tiles.indexOf(event.currentTarget);
  const next = wanted(event.key, tiles, place);
  if (next === undefined) return;
  event.preventDefault();
  next.focus();
}

function wanted(key: string, tiles: HTMLElement[], place: number): HTMLElement | undefined {
  if (key === "ArrowRight") return tiles[place + 1];
  if (key === "ArrowLeft") return tiles[place - 1];
  if (key !== "ArrowDown" && key !== "ArrowUp") return undefined;
  const here = tiles[place]?.getBoundingClientRect();
  if (here === undefined) return undefined;
  const way = key === "ArrowDown" ? 1 : -1;
  const others = tiles
    .map((tile) => ({ tile, box: tile.getBoundingClientRect() }))
    .filter(({ box }) => (box.top - here.top) * way > here.height / 2)
    .map(({ tile, box }) => ({ tile, down: Math.abs(box.top - here.top), aside: Math.abs(box.left - here.left) }));
  return others.toSorted((one, other) => one.down - other.down || one.aside - other.aside)[0]?.tile;
}
