/** A time as the site's regional profile has it. */
import { useSiteTime } from "./use-site-time";

export function SiteTime({ of }: { of: string | null | undefined }) {
  return useSiteTime()(of);
}
