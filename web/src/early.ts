/** Runs before the pages' own code has even been read: what takes an answer of the server is asked for meanwhile. */
import { beginSeries } from "@/app/early-series";
import { restoreSession } from "@/lib/session/browser";
import { viewedAt } from "@/lib/viewer-address";

void restoreSession();

const viewed = viewedAt(location.pathname);
if (viewed !== null) {
  const { studyUid, seriesUid } = viewed;
  if (seriesUid !== undefined) void beginSeries({ studyUid, seriesUid });
  void import("@/app/viewer-route");
}
