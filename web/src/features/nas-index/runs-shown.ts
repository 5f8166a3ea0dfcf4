/** Which runs have a panel on the page of sources. */
import { useState } from "react";

import type { Source } from "./sources-api";

/**
 * Every run under way; when none is, the one that ended last. `seen` are those that had a panel before: they keep it until their source
 * runs again, so that whoever watches several sees how each of them ended.
 */
export function runsToShow(sources: readonly Source[], seen: readonly string[]): string[] {
  const runs = sources.flatMap(({ last_run: run }) => (run?.run_id ? [{ id: run.run_id, running: run.running, started: run.started_at ?? "" }] : []));
  const kept = runs.filter(({ id, running }) => running || seen.includes(id));
  const newest = runs.toSorted((one, other) => other.started.localeCompare(one.started)).slice(0, 1);
  return (kept.length > 0 ? kept : newest).map(({ id }) => id);
}

/** The same, for as long as the page is open. */
export function useRunsShown(sources: readonly Source[]): string[] {
  const [seen, setSeen] = useState<readonly string[]>([]);
  const shown = runsToShow(sources, seen);
  const fresh = shown.filter((id) => !seen.includes(id));
  if (fresh.length > 0) setSeen([...seen, ...fresh]);
  return shown;
}
