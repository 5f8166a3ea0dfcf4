/** The frame worker: what house.ts does, beside the page, so that neither streams nor checksums hold it up. */
import { FrameHouse } from "@/lib/frames/house";
import type { ToWorker } from "@/lib/frames/messages";
import { openStore, Shelf } from "@/lib/frames/shelf";

const scope = self as unknown as {
  postMessage: (message: unknown, transfer: Transferable[]) => void;
  onmessage: ((event: MessageEvent<ToWorker>) => void) | null;
};

// While the page finds out who is there.
const store = openStore();
store.catch(() => undefined);

const house = new FrameHouse({
  tell: (message, transfer = []) => scope.postMessage(message, transfer),
  fetch: (path, init) => fetch(path, init),
  now: () => performance.now(),
  shelf: (owner) =>
    new Shelf({
      owner,
      store: () => store,
      now: () => Date.now(),
      quota: async () => (await (navigator as { storage?: StorageManager }).storage?.estimate())?.quota ?? null,
    }),
});

scope.onmessage = (event) => house.hear(event.data);
