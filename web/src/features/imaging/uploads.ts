/** The one queue of uploads of this page, made of the browser's own parts: it goes on while people look at other pages. */
import { useSyncExternalStore } from "react";

import { notifyDone } from "@/components/notify";
import { NetworkError } from "@/lib/api/errors";
import { plural } from "@/lib/format";
import { queryClient } from "@/lib/query-client";
import { session } from "@/lib/session/browser";

import { connection, listenToTheLine } from "./connection";
import { IMAGING_KEY, STUDIES_KEY } from "./imaging-api";
import { KeptUploads } from "./kept-uploads";
import { UploadQueue, type Upload } from "./upload-queue";
import { sha256Of, uploadServer } from "./upload-server";

/** Storage can be switched off in a browser: then an upload does not outlive the page. */
const shelf = {
  getItem: (key: string) => {
    try {
      return localStorage.getItem(key);
    } catch {
      return null;
    }
  },
  setItem: (key: string, value: string) => localStorage.setItem(key, value),
};

export const keptUploads = new KeptUploads(shelf, () => Date.now());

/** The account; empty when nobody is signed in. */
export function userNow(): string {
  const state = session.getState();
  return state.status === "signedIn" ? state.me.user : "";
}

export const uploads = new UploadQueue({
  server: uploadServer,
  kept: keptUploads,
  user: userNow,
  hash: sha256Of,
  now: () => performance.now(),
  wait: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
  line: connection,
  onDone: tellDone,
});

function tellDone(upload: Upload): void {
  void queryClient.invalidateQueries({ queryKey: STUDIES_KEY });
  const all = uploads.get();
  if (uploads.isBusy()) return;
  const filed = all.filter(({ state }) => state === "done").length;
  notifyDone(filed === 1 ? "Filed" : "All filed", filed === 1 ? `${upload.file.name} is with the patient’s pictures.` : `${plural(filed, "file")} are with the patients’ pictures.`);
}

/** Before the page goes: the browser asks in its own words. */
function hold(event: BeforeUnloadEvent): void {
  event.preventDefault();
}

let isHeld = false;

function holdWhileBusy(): void {
  if (uploads.isBusy() === isHeld) return;
  isHeld = !isHeld;
  if (isHeld) window.addEventListener("beforeunload", hold);
  else window.removeEventListener("beforeunload", hold);
}

uploads.subscribe(holdWhileBusy);
session.subscribe(() => {
  if (session.getState().status === "signedOut") uploads.leave();
});
// What failed or is old because the line was away is asked for again when it is back.
let wasUp = true;
connection.subscribe(() => {
  const isUp = connection.get() === "up";
  if (isUp && !wasUp) {
    void queryClient.invalidateQueries({ queryKey: STUDIES_KEY });
    // Pictures that are there stay: a variant never changes.
    void queryClient.refetchQueries({ queryKey: [IMAGING_KEY], type: "active", predicate: ({ state }) => state.status === "error" });
  }
  wasUp = isUp;
});
// A question without an answer raises the doubt, whoever asked it.
queryClient.getQueryCache().subscribe(({ query, type }) => {
  const [subject] = query.queryKey as readonly unknown[];
  if (type === "updated" && subject === IMAGING_KEY && query.state.error instanceof NetworkError) connection.doubt();
});
listenToTheLine();

export function useUploads(): readonly Upload[] {
  return useSyncExternalStore(uploads.subscribe, uploads.get);
}
