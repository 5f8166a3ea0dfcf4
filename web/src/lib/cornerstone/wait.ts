/** Waits for what a stack cannot do without. */
import { LoadProblem } from "@/lib/frames/series";
import type { Manifest, SeriesLoad } from "@/lib/frames/types";

/** The manifest as soon as it is here; rejects with a LoadProblem when the series fails first. */
export function manifestOf(load: SeriesLoad): Promise<Manifest> {
  return new Promise((resolve, reject) => {
    const look = (): boolean => {
      if (load.manifest !== null) resolve(load.manifest);
      else if (load.error !== null) reject(new LoadProblem(load.error.message, load.error.status));
      else return false;
      return true;
    };
    if (look()) return;
    const stop = load.subscribe(() => {
      if (look()) stop();
    });
  });
}
