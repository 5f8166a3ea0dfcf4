/** A server, and loader, house and store before it in one process, as they stand in page and worker: for tests. */
import { IDBKeyRange } from "fake-indexeddb";

import { ApiClient, type TokenSource } from "@/lib/api/client";
import { FrameHouse } from "@/lib/frames/house";
import { Loader } from "@/lib/frames/loader";
import type { FromWorker } from "@/lib/frames/messages";
import { Port, type WorkerLike } from "@/lib/frames/port";
import { openStore, Shelf } from "@/lib/frames/shelf";
import { endRecord, manifestOf, record } from "@/lib/frames/stream-maker";
import type { CacheSettings, Manifest, SeriesLoad } from "@/lib/frames/types";

export const REF = { studyUid: "1.2", seriesUid: "1.2.3" };
type Span = number | [number, number];

interface Asked {
  path: string;
  body: { seriesUid: string; version: string; frames: Span[]; line: string } | null;
  signal: AbortSignal | null | undefined;
}

export const flat = (spans: Span[]) =>
  spans.flatMap((span) => {
    if (typeof span === "number") return [span];
    const step = span[1] < span[0] ? -1 : 1;
    return Array.from({ length: Math.abs(span[1] - span[0]) + 1 }, (_, at) => span[0] + at * step);
  });
export const payload = (index: number) => new Uint8Array(100).fill(index % 251);

/** A server with one manifest for all series; `stream` may be replaced to misbehave. */
export class Server {
  manifest: Manifest = manifestOf(400);
  asked: Asked[] = [];
  open = 0;
  mostOpen = 0;
  isDown = false;
  token = "t1";
  /** Milliseconds between frames. */
  pace = 0;
  stream: (asked: Asked) => Promise<Response> | Response = (asked) => this.whole(asked);

  readonly fetch = async (path: string, init: RequestInit): Promise<Response> => {
    const body = typeof init.body === "string" ? (JSON.parse(init.body) as Asked["body"]) : null;
    const asked = { path, body, signal: init.signal };
    this.asked.push(asked);
    if (this.isDown) throw new TypeError("offline");
    if (new Headers(init.headers).get("Authorization") !== `Bearer ${this.token}`) return Response.json({}, { status: 401 });
    this.open += 1;
    this.mostOpen = Math.max(this.mostOpen, this.open);
    if (path.endsWith("/manifest")) {
      await Promise.resolve();
      this.open -= 1;
      const seriesUid = decodeURIComponent(path.split("/series/")[1]?.split("/")[0] ?? "");
      return Response.json({ ...this.manifest, seriesUid });
    }
    if (path.includes("/frames/")) {
      this.open -= 1;
      return new Response(payload(Number(/instances\/h(\d+)/.exec(path)?.[1])));
    }
    try {
      const answer = await this.stream(asked);
      if (!answer.ok) this.open -= 1;
      return answer;
    } catch (error) {
      this.open -= 1;
      throw error;
    }
  };

  whole(asked: Asked, stop = Infinity): Response {
    const indices = flat(asked.body?.frames ?? []);
    let at = 0;
    const close = () => {
      this.open -= 1;
    };
    return new Response(
      new ReadableStream<Uint8Array>({
        pull: async (control) => {
          if (this.pace > 0) await new Promise((resolve) => setTimeout(resolve, this.pace));
          if (asked.signal?.aborted === true) {
            close();
            control.error(new Error("aborted"));
          } else if (at >= stop) {
            close();
            control.close();
          } else if (at < indices.length) {
            const index = indices[at++] ?? 0;
            control.enqueue(record(index, "raw", payload(index)));
          } else {
            control.enqueue(endRecord());
            close();
            control.close();
          }
        },
      }),
    );
  }

  get streams(): Asked[] {
    return this.asked.filter((each) => each.path === "/api/pacs/frames");
  }
}

/** What `closeAll` closes. */
const opened: Loader[] = [];

export function closeAll(): void {
  for (const loader of opened.splice(0)) loader.dispose();
}

/** Loader, house and store in one process, as they stand in page and worker. */
export function desk(server: Server, options: { owner?: string; memoryBytes?: number; settings?: CacheSettings; indexedDB?: IDBFactory; keeps?: boolean } = {}) {
  const tokens: TokenSource & { made: number } = {
    made: 0,
    token: () => Promise.resolve("t1"),
    tokenAfterRefusal: () => {
      tokens.made += 1;
      return Promise.resolve(server.token);
    },
    end: () => undefined,
  };
  const worker: WorkerLike = { postMessage: (message) => queueMicrotask(() => house.hear(message)), onmessage: null, terminate: () => undefined };
  const house = new FrameHouse({
    tell: (message: FromWorker) => queueMicrotask(() => worker.onmessage?.({ data: structuredClone(message) })),
    fetch: server.fetch,
    now: () => performance.now(),
    shelf: (owner) =>
      new Shelf({ owner, now: () => Date.now(), quota: () => Promise.resolve(null), store: () => openStore({ indexedDB: options.indexedDB ?? indexedDB, IDBKeyRange }) }),
    ...(options.memoryBytes === undefined ? {} : { memoryBytes: options.memoryBytes }),
  });
  let settings = options.settings ?? null;
  const online = new Set<() => void>();
  const loader = new Loader({
    client: new ApiClient(tokens, server.fetch),
    tokens,
    port: new Port(options.owner ?? "account:sam", worker),
    now: () => performance.now(),
    later: (milliseconds, run) => {
      const timer = setTimeout(run, milliseconds);
      return () => clearTimeout(timer);
    },
    chance: () => 0,
    settings: { get: () => settings, set: (value) => (settings = value) },
    keeps: {
      get: () => options.keeps ?? true,
      set: () => {
        made.marks = true;
      },
    },
    onOnline: (listener) => {
      online.add(listener);
      return () => online.delete(listener);
    },
  });
  const back = () => {
    for (const listener of online) listener();
  };
  opened.push(loader);
  const made = { loader, tokens, back, marks: false };
  return made;
}

/** Waits until it is so; throws with the state when it does not become so. */
export async function until(load: SeriesLoad, what: (load: SeriesLoad) => boolean, milliseconds = 20_000): Promise<void> {
  const end = performance.now() + milliseconds;
  while (!what(load)) {
    if (performance.now() > end) throw new Error(`${load.state}, ${load.loaded} of ${load.total}, ${JSON.stringify(load.error)}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
export const complete = (load: SeriesLoad) => load.state === "complete";
export const kept = (load: SeriesLoad) => complete(load) && load.isKept(0) && load.isKept(load.total - 1);
