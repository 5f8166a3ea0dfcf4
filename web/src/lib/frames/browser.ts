/** The frame loaders of this page, made of the browser's own parts: one for each person, made when first asked for. */
import { anonymous } from "@/lib/api/anonymous";
import type { ApiClient, TokenSource } from "@/lib/api/client";
import { api } from "@/lib/api";
import { onForget } from "@/lib/frames/forget";
import { Loader } from "@/lib/frames/loader";
import { Port, type WorkerLike } from "@/lib/frames/port";
import type { CacheSettings, FrameLoader } from "@/lib/frames/types";
import { session } from "@/lib/session/browser";

const SETTINGS = "readingroom.frames";
const KEEPS = "readingroom.keeps";
const loaders = new Map<string, Loader>();
const nobody: TokenSource = {
  token: () => Promise.resolve(null),
  tokenAfterRefusal: () => Promise.resolve(null),
  end: () => undefined,
};

let spare: Worker | null = null;

/** Starts the frame worker and has it open the browser's store, before it is known for whom. */
export function prepareFrames(): void {
  spare ??= frameWorker();
}

function frameWorker(): Worker {
  return new Worker(new URL("./frame-worker.ts", import.meta.url), { type: "module", name: "frames" });
}

/** The loader of who is signed in. */
export function frameLoader(): FrameLoader {
  return loaderOf(`account:${session.subject() ?? ""}`, api, session);
}

/** The loader of whoever holds this link; what it keeps is shown to nobody else. */
export function shareFrameLoader(shareId: string): FrameLoader {
  return loaderOf(`share:${shareId}`, anonymous, nobody);
}

onForget(() => {
  for (const loader of loaders.values()) loader.dispose();
  loaders.clear();
});

function loaderOf(owner: string, client: ApiClient, tokens: TokenSource): Loader {
  let loader = loaders.get(owner);
  if (loader === undefined) {
    const worker = spare ?? frameWorker();
    spare = null;
    loader = new Loader({
      client,
      tokens,
      port: new Port(owner, worker as unknown as WorkerLike),
      now: () => performance.now(),
      later: (milliseconds, run) => {
        const timer = setTimeout(run, milliseconds);
        return () => clearTimeout(timer);
      },
      chance: Math.random,
      settings,
      keeps,
      onOnline: (listener) => {
        window.addEventListener("online", listener);
        return () => window.removeEventListener("online", listener);
      },
    });
    loaders.set(owner, loader);
  }
  return loader;
}

/** Whether anything was ever kept here: in a browser that is new to us the store is not asked before the server. */
const keeps = {
  get: (): boolean => {
    try {
      return localStorage.getItem(KEEPS) !== null;
    } catch {
      return true;
    }
  },
  set: (): void => {
    try {
      if (!keeps.get()) localStorage.setItem(KEEPS, "1");
    } catch {
      // Nothing to remember it in: the store is asked.
    }
  },
};

const settings = {
  get: (): CacheSettings | null => {
    try {
      const raw = localStorage.getItem(SETTINGS);
      if (raw === null) return null;
      const said = JSON.parse(raw) as Partial<CacheSettings>;
      const { budgetBytes, keepHours } = said;
      return typeof budgetBytes === "number" && typeof keepHours === "number" ? { budgetBytes, keepHours } : null;
    } catch {
      return null;
    }
  },
  set: (value: CacheSettings): void => {
    try {
      localStorage.setItem(SETTINGS, JSON.stringify(value));
    } catch {
      // Nothing to remember it in: it holds for this page.
    }
  },
};
