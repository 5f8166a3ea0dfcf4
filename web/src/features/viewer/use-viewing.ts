/** A series on the screen as React sees it. */
import { useSyncExternalStore } from "react";

import type { Viewing, ViewingState } from "./viewing";

export function useViewing(viewing: Viewing): ViewingState {
  return useSyncExternalStore(viewing.subscribe, viewing.getState);
}

/** One part of it: draws again only when that part is another one. */
export function useViewed<T extends string | number | boolean | null>(viewing: Viewing, part: (state: ViewingState) => T): T {
  return useSyncExternalStore(viewing.subscribe, () => part(viewing.getState()));
}
