/** Runs before the pages' own code has even been read: what takes an answer of the server is asked for meanwhile. */
import { beginSeries } from "@/app/early-series";
import { restoreSession } from "@/lib/session/browser";

void restoreSession();

const [, study, series] = /^\/viewer\/([^/]+)(?:\/([^/]+))?\/?$/.exec(location.pathname) ?? [];
if (study !== undefined && series !== undefined) void beginSeries({ studyUid: decodeURIComponent(study), seriesUid: decodeURIComponent(series) });
if (study !== undefined) void import("@/app/viewer-route");
