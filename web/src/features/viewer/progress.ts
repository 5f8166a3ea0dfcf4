/** How far a series has come, in words and in one of three states: colour alone tells nobody who does not see it. */
import { count } from "@/lib/format";
import type { SeriesLoad } from "@/lib/frames/types";

/** Nothing here yet, some of it, all of it. */
export type Stage = "none" | "some" | "all";

export interface Progress {
  stage: Stage;
  /** 0 to 100; 100 only when the last image is here, 0 only when none is. */
  percent: number;
  /** `12 / 60 images loaded`. */
  words: string;
}

export function progressOf(loaded: number, total: number): Progress {
  const words = `${count(loaded)} / ${count(total)} ${total === 1 ? "image" : "images"} loaded`;
  if (loaded <= 0) return { stage: "none", percent: 0, words };
  if (loaded >= total) return { stage: "all", percent: 100, words };
  return { stage: "some", percent: Math.min(99, Math.max(1, Math.floor((100 * loaded) / total))), words };
}

type Told = Pick<SeriesLoad, "state" | "loaded" | "total" | "error" | "fromCache">;

/** One sentence on what goes on with a series; empty where the bar says it all. */
export function stateWords({ state, loaded, total, error, fromCache }: Told): string {
  if (state === "error") return errorWords(error?.status ?? 0, error?.message ?? "");
  if (state === "offline") return loaded > 0 ? `Offline: ${count(loaded)} of ${count(total)} images are here` : "Offline: goes on when the line is back";
  if (state === "waiting") return "Waits for its turn";
  if (state === "manifest") return "Looks through the headers";
  if (state === "complete" && total > 0 && fromCache >= total) return "From this browser’s store";
  return "";
}

/** What went wrong, as a person can use it. */
export function errorWords(status: number, message: string): string {
  if (status === 404) return "This series is not here any more, or not yours to see.";
  if (status === 429) return "The server has its hands full. Try again in a moment.";
  return message === "" ? "The images could not be loaded." : message;
}
