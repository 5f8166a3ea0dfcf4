/** The end of a link, felt while its page is open. */
import { useEffect, useState } from "react";

/** True from the moment on at which the link ends, also while the page is open. */
export function useIsOver(expiresAt: string | undefined): boolean {
  const [isOver, setIsOver] = useState(false);
  useEffect(() => {
    if (expiresAt === undefined) return;
    // Timers count to 24 days; a page that is open for longer asks the server before.
    const rest = Math.min(Date.parse(expiresAt) - Date.now(), 2_000_000_000);
    const timer = setTimeout(() => setIsOver(Date.parse(expiresAt) <= Date.now()), Math.max(rest, 0));
    return () => clearTimeout(timer);
  }, [expiresAt]);
  return isOver;
}
