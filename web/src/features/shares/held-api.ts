/** A link as its holder sees it. The browser's cookie says which one; nobody is signed in. */
import { queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";

import { anonymous } from "@/lib/api/anonymous";

import type { SeriesFacts } from "./share-api";

export interface Held {
  id: string;
  needs_passcode: boolean;
  unlocked: boolean;
  expires_at: string;
  downloads_left: number | null;
  state: "ready" | "preparing" | "failed";
  deidentified: boolean;
  /** Empty before the passcode. */
  series: SeriesFacts;
  file_count: number;
  size_bytes: number;
  file_name: string;
  /** What the viewer asks for; empty before the passcode. */
  study_uid: string;
  series_uid: string;
}

export interface HeldFiles {
  items: { n: number; name: string; size: number }[];
  total: number;
}

const PREPARING_POLL_MS = 5_000;

/** A passcode counts for half an hour after its last use: then the page asks for it again, not a download that fails. */
const UNLOCKED_MS = 30 * 60_000 + 5_000;

const HELD_KEY = "held";

export function addressOf(id: string, what: string): string {
  return `/share/${encodeURIComponent(id)}/${what}`;
}

export function heldQuery(id: string) {
  return queryOptions({
    queryKey: [HELD_KEY, id, "info"],
    queryFn: ({ signal }) => anonymous.get<Held>(addressOf(id, "info"), { signal }),
    refetchInterval: ({ state: { data } }) => {
      if (data?.state === "preparing") return PREPARING_POLL_MS;
      return data?.needs_passcode === true && data.unlocked ? UNLOCKED_MS : false;
    },
  });
}

export function heldFilesQuery(id: string) {
  return queryOptions({
    queryKey: [HELD_KEY, id, "files"],
    queryFn: ({ signal }) => anonymous.get<HeldFiles>(addressOf(id, "files"), { signal }),
  });
}

export function useUnlock(id: string) {
  const refresh = useRefreshHeld(id);
  return useMutation({
    mutationFn: (password: string) => anonymous.post<null>(addressOf(id, "unlock"), { password }),
    onSuccess: refresh,
  });
}

export function useRefreshHeld(id: string): () => Promise<void> {
  const queries = useQueryClient();
  return () => queries.invalidateQueries({ queryKey: [HELD_KEY, id, "info"] });
}
