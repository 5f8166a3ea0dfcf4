/** Draws again when any of a study's loads changes. */
import { useCallback, useSyncExternalStore } from "react";

import type { Loads } from "./study-loads";

export function useAnyLoad(loads: Loads): number {
  return useSyncExternalStore(
    useCallback(
      (listener) => {
        const stops = [...loads.values()].map((load) => load.subscribe(listener));
        return () => stops.forEach((stop) => stop());
      },
      [loads],
    ),
    () => [...loads.values()].reduce((sum, { revision }) => sum + revision, 0),
  );
}
