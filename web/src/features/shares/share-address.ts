/** Which links are listed, kept in the address: back and reload show the same rows. */
import type { ShareState } from "./share-api";

export interface SharesPlace {
  q: string;
  state: ShareState | "";
  /** Everybody's; counts for admins of links alone. */
  all: boolean;
  page: number;
}

export const STATES: readonly ShareState[] = ["active", "preparing", "used_up", "expired", "revoked", "owner_disabled", "failed"];

export function readPlace(params: URLSearchParams): SharesPlace {
  const page = Number(params.get("page") ?? "1");
  const state = STATES.find((known) => known === params.get("state"));
  return {
    q: params.get("q") ?? "",
    state: state ?? "",
    all: params.get("all") === "true",
    page: Number.isInteger(page) && page >= 1 ? page : 1,
  };
}

/** Only what differs from the plain list is written; another question starts at page one. */
export function writePlace(current: SharesPlace, change: Partial<SharesPlace>): URLSearchParams {
  const next = { ...current, page: 1, ...change };
  const params = new URLSearchParams();
  if (next.q !== "") params.set("q", next.q);
  if (next.state !== "") params.set("state", next.state);
  if (next.all) params.set("all", "true");
  if (next.page > 1) params.set("page", String(next.page));
  return params;
}

/** Whether words or a state leave anything out. */
export function isNarrowed({ q, state }: SharesPlace): boolean {
  return q !== "" || state !== "";
}
