/** What the values of a picture are. */
import { lutsOf } from "@/lib/frames/luts";
import type { Frame, Manifest } from "@/lib/frames/types";

/** As the header says, such as "HU"; empty where it says nothing or that they are nothing in particular ("US", PS3.3 C.11.1.1.2). */
export function unitOf(manifest: Manifest, frame: Frame): string {
  const { modality } = lutsOf(manifest, frame);
  if (manifest.modality === "PT" && frame.suv !== null) return "SUV";
  const said = modality === null ? (frame.rescaleType ?? "") : modality.type || "US";
  if (said !== "") return said === "US" ? "" : said;
  // A CT that says nothing else (PS3.3 C.8.2.1.1.2).
  return manifest.modality === "CT" ? "HU" : "";
}
