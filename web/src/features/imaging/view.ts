/** Where a picture lies on the stage: how large, moved how far, turned how often. Numbers only, in CSS pixels from the stage's middle. */

export interface Size {
  width: number;
  height: number;
}

export interface Point {
  x: number;
  y: number;
}

/** `zoom` 1 is the whole picture; `turns` are quarter turns to the right. */
export interface View extends Point {
  zoom: number;
  turns: number;
}

export const WHOLE: View = { zoom: 1, x: 0, y: 0, turns: 0 };

/** One press of + or −. */
export const STEP = 1.4;

/** How far a pixel of the picture may grow, and how far a small picture is blown up to fit. */
const MOST_PER_PIXEL = 8;
const MOST_TO_FIT = 4;

function turned({ width, height }: Size, turns: number): Size {
  return turns % 2 === 0 ? { width, height } : { width: height, height: width };
}

/** CSS pixels for each pixel of the picture when the whole of it is shown. */
export function fitScale(picture: Size, stage: Size, turns: number): number {
  const { width, height } = turned(picture, turns);
  if (width === 0 || height === 0 || stage.width === 0 || stage.height === 0) return 1;
  return Math.min(stage.width / width, stage.height / height, MOST_TO_FIT);
}

/** Zooms by a factor and keeps what lies at that point where it is. */
export function zoomed(view: View, factor: number, at: Point, picture: Size, stage: Size): View {
  const most = Math.max(2, MOST_PER_PIXEL / fitScale(picture, stage, view.turns));
  const zoom = Math.min(most, Math.max(1, view.zoom * factor));
  const grown = zoom / view.zoom;
  return inside({ ...view, zoom, x: at.x - (at.x - view.x) * grown, y: at.y - (at.y - view.y) * grown }, picture, stage);
}

export function moved(view: View, by: Point, picture: Size, stage: Size): View {
  return inside({ ...view, x: view.x + by.x, y: view.y + by.y }, picture, stage);
}

/** A turn shows the whole picture again: what was in the middle lies elsewhere now. */
export function rotated(view: View, quarters: number): View {
  return { ...WHOLE, turns: (view.turns + quarters + 4) % 4 };
}

/** No further than to the picture's edge; what is smaller than the stage stays in its middle. */
export function inside(view: View, picture: Size, stage: Size): View {
  const { width, height } = turned(picture, view.turns);
  const scale = fitScale(picture, stage, view.turns) * view.zoom;
  const mostX = Math.max(0, (width * scale - stage.width) / 2);
  const mostY = Math.max(0, (height * scale - stage.height) / 2);
  const kept = (value: number, most: number) => Math.min(most, Math.max(-most, value));
  return { ...view, x: kept(view.x, mostX), y: kept(view.y, mostY) };
}

export function transformOf(view: View, picture: Size, stage: Size): string {
  const scale = fitScale(picture, stage, view.turns) * view.zoom;
  return `translate(-50%, -50%) translate(${view.x}px, ${view.y}px) rotate(${view.turns * 90}deg) scale(${scale})`;
}
