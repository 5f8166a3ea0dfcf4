/** Times on the pages of the NAS index: the site's own, by its regional profile. */
import { useQuery } from "@tanstack/react-query";

import { time, timeIn } from "@/lib/format";

import { profileQuery } from "./nas-api";

export type Told = (iso: string | null | undefined) => string;

/** How a time is told: in the profile's time zone, in the reader's own where the site has no profile. */
export function useSiteTime(): Told {
  const { data: profile } = useQuery(profileQuery);
  if (profile === undefined || profile.name === "none") return (iso) => time(iso);
  return (iso) => timeIn(profile.timezone, iso);
}
