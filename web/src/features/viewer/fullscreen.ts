/** The viewer over the whole screen, where a browser lets a page have it (that of an iPhone does not). */
import { useSyncExternalStore } from "react";

export function canFill(): boolean {
  return (document as Partial<Document>).fullscreenEnabled === true;
}

export function toggleFullscreen(): void {
  if (!canFill()) return;
  const wish = document.fullscreenElement === null ? document.documentElement.requestFullscreen() : document.exitFullscreen();
  // Refused all the same: the window stays as it is.
  wish.catch(() => undefined);
}

function subscribe(listener: () => void): () => void {
  document.addEventListener("fullscreenchange", listener);
  return () => document.removeEventListener("fullscreenchange", listener);
}

/** True while the screen is filled, however that came about. */
export function useFillsScreen(): boolean {
  return useSyncExternalStore(subscribe, () => document.fullscreenElement !== null);
}
