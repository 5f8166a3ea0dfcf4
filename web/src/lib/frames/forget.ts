/** Wipes what the browser keeps of pictures. Stands alone, so that signing out loads nothing of the viewer. */

export const SHELF_NAME = "readingroom-frames";

const listeners = new Set<() => void>();

/** Called before a wipe, so that what is open lets go of the store. Gives back how to stop. */
export function onForget(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Removes all kept pictures of everybody; tabs that have the store open close it by themselves. */
export function forgetFrames(): Promise<void> {
  for (const listener of listeners) listener();
  return new Promise((resolve) => {
    try {
      const request = indexedDB.deleteDatabase(SHELF_NAME);
      request.onsuccess = () => resolve();
      request.onerror = () => resolve();
      request.onblocked = () => undefined;
    } catch {
      // No store in this window: nothing was kept.
      resolve();
    }
  });
}
