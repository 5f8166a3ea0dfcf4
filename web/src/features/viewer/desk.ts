/** What the viewer works with: whose requests, and the loader that holds their frames. A session has one, each link has its own. */
import { createContext, use } from "react";

import type { ApiClient } from "@/lib/api/client";
import type { FrameLoader } from "@/lib/frames/types";

export interface Desk {
  client: ApiClient;
  loader: FrameLoader;
  /** Whose answers these are: one person's are never another's. */
  owner: string;
}

export const DeskContext = createContext<Desk | null>(null);

export function useDesk(): Desk {
  const desk = use(DeskContext);
  if (desk === null) throw new Error("The viewer's parts stand inside a Desk.");
  return desk;
}
