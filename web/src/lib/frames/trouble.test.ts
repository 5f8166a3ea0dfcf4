import "fake-indexeddb/auto";

import { IDBFactory } from "fake-indexeddb";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { closeAll, complete, desk, flat, kept, payload, REF, Server, until } from "@/lib/frames/test-desk";
import { endRecord, manifestOf, record } from "@/lib/frames/stream-maker";

let server: Server;

beforeEach(() => {
  indexedDB = new IDBFactory();
  server = new Server();
});
afterEach(closeAll);

describe("trouble", () => {
  test("a line that cuts each stream ends in single frames", async () => {
    server.manifest = manifestOf(20);
    server.stream = (asked) => server.whole(asked, 0);
    const load = desk(server).loader.open(REF);
    await until(load, complete);
    expect(server.streams.length).toBe(2);
    expect(server.asked.filter((each) => each.path.includes("/frames/")).length).toBe(20);
    expect(new Uint8Array((await load.bytes(7)).data)).toEqual(payload(7));
  });

  test("a stream that is cut after some frames goes on with the rest", async () => {
    server.manifest = manifestOf(60);
    let cuts = 0;
    server.stream = (asked) => server.whole(asked, (cuts += 1) < 3 ? 10 : Infinity);
    const load = desk(server).loader.open(REF);
    await until(load, complete);
    expect(server.asked.some((each) => each.path.includes("/frames/"))).toBe(false);
  });

  test("an expired token is renewed in the middle of loading", async () => {
    const { loader, tokens } = desk(server);
    server.stream = (asked) => {
      if (server.streams.length === 2) server.token = "t2";
      return server.whole(asked);
    };
    await until(loader.open(REF), complete);
    expect(tokens.made).toBeGreaterThan(0);
  });

  test("a line that is back is no longer called offline, as soon as the first images come", async () => {
    const { loader, back } = desk(server);
    server.pace = 5;
    server.stream = (asked) => server.whole(asked);
    const load = loader.open(REF);
    await until(load, (each) => each.loaded > 10);
    server.isDown = true;
    await until(load, (each) => each.state === "offline");
    const here = load.loaded;
    server.isDown = false;
    back();
    await until(load, (each) => each.loaded > here);
    expect(load.state).not.toBe("offline");
  });

  test("429 is obeyed, and not taken for a failure", async () => {
    let refused = 0;
    server.manifest = manifestOf(10);
    server.stream = (asked) => {
      if ((refused += 1) > 1) return server.whole(asked);
      return Response.json({ error: "too_many_requests", message: "Wait." }, { status: 429, headers: { "Retry-After": "1" } });
    };
    const { loader } = desk(server);
    const load = loader.open(REF);
    await until(load, (each) => refused === 1 && each.state !== "error");
    const asked = server.asked.length;
    await new Promise((resolve) => setTimeout(resolve, 700));
    expect(server.asked.length).toBe(asked);
    await until(load, complete);
  });

  test("404 says so, drops what was kept, and a retry asks again", async () => {
    const first = desk(server);
    await until(first.loader.open(REF), kept);
    first.loader.dispose();
    const answer = server.fetch;
    const gone = new Server();
    const { loader } = desk(Object.assign(gone, { fetch: () => Promise.resolve(Response.json({ message: "Gone." }, { status: 404 })) }));
    const load = loader.open(REF);
    await until(load, (each) => each.state === "error");
    expect(load.error).toEqual({ status: 404, message: "Gone." });
    await expect(load.bytes(3)).rejects.toMatchObject({ status: 404 });
    Object.assign(gone, { fetch: answer });
    const third = desk(Object.assign(new Server(), { isDown: true })).loader.open(REF);
    await until(third, (each) => each.state === "offline");
    expect(third.manifest).toBeNull();
  });

  test("a frame that cannot be read is told, the others come", async () => {
    server.manifest = manifestOf(12);
    server.stream = (asked) => {
      const words = new TextEncoder().encode(JSON.stringify({ error: "frame_unreadable", message: "Broken." }));
      const parts = flat(asked.body?.frames ?? []).map((index) => (index === 5 ? record(5, 255, words, 422) : record(index, "raw", payload(index))));
      server.open -= 1;
      return new Response(new Blob([...parts, endRecord()]));
    };
    const load = desk(server).loader.open(REF);
    await until(load, complete);
    expect([load.loaded, load.failure(5)?.status]).toEqual([11, 422]);
    await expect(load.bytes(5)).rejects.toMatchObject({ message: "Broken." });
  });

  test("a frame that the server cannot pack for a slow line is asked for as it is", async () => {
    server.manifest = manifestOf(200, "v1", 100_000);
    server.stream = (asked) => {
      if (asked.body?.line === "fast" && server.streams.some((each) => each.body?.line === "slow")) return server.whole(asked);
      const words = new TextEncoder().encode("{}");
      const parts = flat(asked.body?.frames ?? []).map((index) =>
        asked.body?.line === "slow" ? record(index, 255, words, 422) : record(index, "raw", new Uint8Array(100_000)),
      );
      server.open -= 1;
      let at = 0;
      return new Response(
        new ReadableStream<Uint8Array>({
          pull: async (control) => {
            await new Promise((resolve) => setTimeout(resolve, 90)); // 1.1 MB/s
            const part = parts[at++] ?? endRecord();
            control.enqueue(part);
            if (at > parts.length) control.close();
          },
        }),
      );
    };
    const load = desk(server).loader.open(REF);
    await until(load, complete, 10_000);
    expect(server.streams.map((each) => each.body?.line)).toContain("slow");
    expect([load.loaded, load.failure(59)]).toEqual([200, null]);
  }, 12_000);

  test("a lost line is waited for, and what is missing comes when it is back", async () => {
    server.stream = (asked) => server.whole(asked, 24);
    const { loader, back } = desk(server);
    const load = loader.open(REF);
    await until(load, (each) => each.loaded >= 24);
    server.isDown = true;
    await until(load, (each) => each.state === "offline");
    server.isDown = false;
    server.stream = (asked) => server.whole(asked);
    back();
    await until(load, complete);
  });

  test("a server out of order is asked again, later and later", async () => {
    let asked = 0;
    server.manifest = manifestOf(5);
    server.stream = (each) => ((asked += 1) < 2 ? Response.json({}, { status: 503 }) : server.whole(each));
    await until(desk(server).loader.open(REF), complete);
    expect(asked).toBe(2);
  });
});

describe("without a store", () => {
  const broken = { open: () => { throw new Error("private window"); }, deleteDatabase: () => { throw new Error("no"); } } as unknown as IDBFactory;

  test("a series is held in memory", async () => {
    const { loader } = desk(server, { indexedDB: broken });
    const load = loader.open(REF);
    await until(load, complete);
    expect(loader.stats().canKeep).toBe(false);
    expect(load.isKept(0)).toBe(false);
  });

  test("one larger than memory loads around the screen, without end loading what it must drop", async () => {
    const { loader } = desk(server, { indexedDB: broken, memoryBytes: 5000 });
    const load = loader.open(REF);
    loader.view(REF, 200, 0);
    await until(load, (each) => each.loaded >= 35);
    await new Promise((resolve) => setTimeout(resolve, 150));
    const asked = server.asked.length;
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(server.asked.length).toBe(asked);
    expect(load.has(200)).toBe(true);
    loader.view(REF, 20, 1);
    expect(new Uint8Array((await load.bytes(20)).data)).toEqual(payload(20));
  });
});

test("memory that is full while the store keeps everything loses nothing", async () => {
  const { loader } = desk(server, { memoryBytes: 3000 });
  const load = loader.open(REF);
  await until(load, complete);
  expect(load.loaded).toBe(400);
  for (const index of [0, 200, 399]) expect(new Uint8Array((await load.bytes(index)).data)).toEqual(payload(index));
});
