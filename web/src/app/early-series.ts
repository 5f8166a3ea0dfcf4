/** Begins to load the series of the address beside the pages' code, not after it. */
import { firstIndex, imageOf } from "@/features/viewer/place";
import { frameLoader, prepareFrames } from "@/lib/frames/browser";
import type { SeriesRef } from "@/lib/frames/types";
import { session } from "@/lib/session/browser";

/** The page has opened the series itself by then, or never will. */
const HANDED_OVER_MS = 15_000;

/** Asks for the manifest and the first pictures as soon as there is a session. */
export async function beginSeries(ref: SeriesRef): Promise<void> {
  prepareFrames();
  const token = await session.token().catch(() => null);
  if (token === null) return;
  const loader = frameLoader();
  const asked = imageOf(new URLSearchParams(location.search));
  loader.open(ref, ({ frameCount, defaults }) => asked ?? firstIndex(frameCount, (defaults.frameTime ?? null) !== null));
  setTimeout(() => loader.close(ref), HANDED_OVER_MS);
}
