/** A series' load as React sees it. */
import { useCallback, useSyncExternalStore } from "react";

import type { SeriesLoad } from "@/lib/frames/types";

/** Draws again with each change; the load's own fields are then read as they are. */
export function useLoad(load: SeriesLoad | undefined): SeriesLoad | undefined {
  useSyncExternalStore(
    useCallback((listener) => load?.subscribe(listener) ?? (() => undefined), [load]),
    () => load?.revision ?? 0,
  );
  return load;
}
