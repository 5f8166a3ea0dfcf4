/** What a reader has set for themselves, kept by the browser: wheel, overlay, what draws. No patient is in it. */
import type { Brush } from "@/lib/cornerstone/types";

import { SENSITIVITY_LEAST, SENSITIVITY_MOST } from "./wheel";

export interface Preferences {
  /** Images for each notch of the wheel. */
  sensitivity: number;
  showsInfo: boolean;
  showsStrip: boolean;
  brush: Brush;
}

const DEFAULTS: Preferences = { sensitivity: 1, showsInfo: true, showsStrip: true, brush: "auto" };

export const PREFERENCES_KEY = "readingroom.viewer";

type Kept = Pick<Storage, "getItem" | "setItem">;

/** What is kept, with the default for what is not, or is no sense. */
export function readPreferences(storage: Kept): Preferences {
  try {
    const said = JSON.parse(storage.getItem(PREFERENCES_KEY) ?? "{}") as Partial<Preferences>;
    const { sensitivity, showsInfo, showsStrip, brush } = said;
    return {
      sensitivity: typeof sensitivity === "number" && sensitivity >= SENSITIVITY_LEAST && sensitivity <= SENSITIVITY_MOST ? sensitivity : DEFAULTS.sensitivity,
      showsInfo: typeof showsInfo === "boolean" ? showsInfo : DEFAULTS.showsInfo,
      showsStrip: typeof showsStrip === "boolean" ? showsStrip : DEFAULTS.showsStrip,
      brush: brush === "graphics" || brush === "processor" ? brush : DEFAULTS.brush,
    };
  } catch {
    return DEFAULTS;
  }
}

export function keepPreferences(storage: Kept, preferences: Preferences): void {
  try {
    storage.setItem(PREFERENCES_KEY, JSON.stringify(preferences));
  } catch {
    // Storage can be switched off: then they last as long as the page.
  }
}
