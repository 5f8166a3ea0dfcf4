/** The session as React sees it. */
import { useSyncExternalStore } from "react";

import type { Me } from "@/lib/api/types";
import { session } from "@/lib/session/browser";
import type { SessionState } from "@/lib/session/session";

export function useSession(): SessionState {
  return useSyncExternalStore(session.subscribe, session.getState);
}

export function useMe(): Me | null {
  const state = useSession();
  return state.status === "signedIn" ? state.me : null;
}

/** True when the person signed in holds the capability. The server checks it again on every request. */
export function useCan(capability: string): boolean {
  return useMe()?.capabilities.includes(capability) ?? false;
}
