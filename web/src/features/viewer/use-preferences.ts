/** The reader's own settings, the same in each part of the page. */
import { useCallback, useSyncExternalStore } from "react";

import { keepPreferences, readPreferences, type Preferences } from "./preferences";

const nowhere = { getItem: () => null, setItem: () => undefined };
const listeners = new Set<() => void>();
let preferences: Preferences | null = null;

function storage(): Pick<Storage, "getItem" | "setItem"> {
  try {
    return localStorage;
  } catch {
    return nowhere;
  }
}

function current(): Preferences {
  preferences ??= readPreferences(storage());
  return preferences;
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function usePreferences(): [Preferences, (change: Partial<Preferences>) => void] {
  const known = useSyncExternalStore(subscribe, current);
  const change = useCallback((changed: Partial<Preferences>) => {
    preferences = { ...current(), ...changed };
    keepPreferences(storage(), preferences);
    for (const listener of listeners) listener();
  }, []);
  return [known, change];
}
