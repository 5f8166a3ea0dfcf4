/** Under which keys answers about the NAS are kept, so that one change makes the right ones fresh. */
import { useQueryClient, type QueryKey } from "@tanstack/react-query";

export const NAS_KEY = ["nas"] as const;
export const SEARCH_KEY = [...NAS_KEY, "search"] as const;
export const SERIES_KEY = [...NAS_KEY, "series"] as const;
export const RUNS_KEY = [...NAS_KEY, "runs"] as const;
export const SOURCES_KEY = [...NAS_KEY, "sources"] as const;
export const CONFIG_KEY = [...NAS_KEY, "config"] as const;
export const SUGGESTIONS_KEY = [...NAS_KEY, "suggestions"] as const;

/** How often a run in progress is asked about. */
export const POLL_MS = 2_000;

/** Asks again for everything below these keys. */
export function useRefresh(...keys: QueryKey[]): () => Promise<void> {
  const queries = useQueryClient();
  return async () => {
    await Promise.all(keys.map((queryKey) => queries.invalidateQueries({ queryKey })));
  };
}
