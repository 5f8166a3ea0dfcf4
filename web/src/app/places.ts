/** The places of the menu, and which of them somebody may open. */
import type { Me } from "@/lib/api/types";

interface Place {
  to: string;
  label: string;
  /** Null: for everybody who is signed in. */
  capability: string | null;
  /** For people of a clinic alone. */
  clinic?: boolean;
}

/** The viewer has no line here: one comes to it from a case, a series or a link. */
const PLACES: readonly Place[] = [
  { to: "/cases", label: "Cases", capability: "cases.read" },
  { to: "/nas", label: "NAS index", capability: "index.search" },
  { to: "/shares", label: "Links", capability: "share.create" },
  { to: "/imaging", label: "Pictures", capability: "imaging.read", clinic: true },
  { to: "/admin/cases", label: "Manage cases", capability: "cases.admin" },
  { to: "/admin/imports", label: "Imports", capability: "cases.admin" },
  { to: "/admin/audit", label: "Audit", capability: "audit.read" },
  { to: "/docs", label: "API", capability: null },
];

export function placesOf(me: Me): Place[] {
  return PLACES.filter(({ capability, clinic = false }) => (capability === null || me.capabilities.includes(capability)) && (!clinic || me.clinic !== null));
}

/** Where somebody begins: the first place that is theirs. */
export function homeOf(me: Me): string {
  return placesOf(me)[0]?.to ?? "/docs";
}
