import "fake-indexeddb/auto";

import { IDBFactory } from "fake-indexeddb";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { closeAll, complete, desk, flat, kept, payload, REF, Server, until } from "@/lib/frames/test-desk";
import { manifestOf } from "@/lib/frames/stream-maker";

let server: Server;

beforeEach(() => {
  indexedDB = new IDBFactory();
  server = new Server();
});
afterEach(closeAll);

describe("a series", () => {
  test("of 400 slices is here whole after at most 12 requests, each byte as sent", async () => {
    const { loader } = desk(server);
    const load = loader.open(REF);
    loader.view(REF, 200, 1);
    await until(load, complete);
    expect(load.loaded).toBe(400);
    expect(server.asked.length).toBeLessThanOrEqual(12);
    expect(server.mostOpen).toBeLessThanOrEqual(4);
    for (const index of [0, 77, 399]) expect(new Uint8Array((await load.bytes(index)).data)).toEqual(payload(index));
  });

  test("comes in the order in which it is wanted: the screen, three around it, on in the direction", async () => {
    const { loader } = desk(server);
    const load = loader.open(REF);
    loader.view(REF, 200, -1);
    await until(load, complete);
    const order = server.streams.flatMap((each) => flat(each.body?.frames ?? []));
    expect(order.slice(0, 9)).toEqual([200, 199, 201, 198, 202, 197, 203, 196, 195]);
    expect(order.slice(-1)).toEqual([399]);
    expect(new Set(order).size).toBe(400);
  });

  test("comes from the browser's store the second time, without a request for pixels, also without a line", async () => {
    const first = desk(server);
    await until(first.loader.open(REF), kept);
    first.loader.dispose();
    server.asked = [];
    const second = desk(server);
    const load = second.loader.open(REF);
    await until(load, (each) => complete(each) && each.fromCache === 400);
    expect(server.streams).toEqual([]);
    expect(new Uint8Array((await load.bytes(42)).data)).toEqual(payload(42));
    second.loader.dispose();
    server.isDown = true;
    const offline = desk(server).loader.open(REF);
    await until(offline, complete);
    expect(new Uint8Array((await offline.bytes(399)).data)).toEqual(payload(399));
  });

  test("that one person has kept is shown to no other", async () => {
    const mine = desk(server);
    await until(mine.loader.open(REF), kept);
    mine.loader.dispose();
    server.isDown = true;
    const theirs = desk(server, { owner: "account:alex" }).loader.open(REF);
    await until(theirs, (each) => each.state === "offline");
    expect([theirs.manifest, theirs.loaded]).toEqual([null, 0]);
  });

  test("that changed on the server is loaded anew, and nothing old is shown as new", async () => {
    const first = desk(server);
    await until(first.loader.open(REF), kept);
    first.loader.dispose();
    server.manifest = manifestOf(30, "v2");
    const load = desk(server).loader.open(REF);
    await until(load, (each) => complete(each) && each.total === 30);
    expect([load.fromCache, load.manifest?.version]).toEqual([0, "v2"]);
  });

  test("that changes while it loads answers 409 and begins again by itself", async () => {
    const { loader } = desk(server);
    server.stream = (asked) => {
      if (asked.body?.version === "v2") return server.whole(asked);
      server.manifest = manifestOf(50, "v2");
      return Response.json({ error: "series_changed", message: "Changed." }, { status: 409 });
    };
    const load = loader.open(REF);
    loader.view(REF, 399, 0);
    await until(load, complete);
    expect(load.total).toBe(50);
  });
});

describe("the first picture", () => {
  test("comes with its neighbours alone; the rest when it is drawn", async () => {
    const { loader } = desk(server);
    const load = loader.open(REF, () => 150);
    await load.bytes(150);
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(server.streams.map((each) => flat(each.body?.frames ?? []))).toEqual([[150, 151, 149, 152, 148, 153, 147]]);
    loader.drawn();
    await until(load, complete);
  });

  test("is not waited for by whoever scrolls", async () => {
    const { loader } = desk(server);
    const load = loader.open(REF, () => 150);
    await load.bytes(150);
    loader.view(REF, 151, 1);
    await until(load, complete);
  });

  test("may be drawn before anything was asked for, and holds nothing up for ever", async () => {
    const { loader } = desk(server);
    loader.drawn();
    await until(loader.open(REF, () => 10), complete);
  });

  test("that nobody draws is waited for a moment only", async () => {
    await until(desk(server).loader.open(REF, () => 10), complete);
  });
});

describe("a browser that is new here", () => {
  test("is asked for nothing kept before the server is, and keeps what comes", async () => {
    const first = desk(server, { keeps: false });
    await until(first.loader.open(REF), kept);
    expect(first.marks).toBe(true);
    first.loader.dispose();
    server.asked = [];
    const load = desk(server).loader.open(REF);
    await until(load, (each) => complete(each) && each.fromCache === 400);
    expect(server.streams).toEqual([]);
  });
});

describe("a jump", () => {
  test("aborts what is under way and loads around the new place first", async () => {
    server.pace = 4;
    const { loader } = desk(server);
    const load = loader.open(REF);
    loader.view(REF, 0, 1);
    await until(load, (each) => each.loaded > 5);
    loader.view(REF, 300, 1);
    await load.bytes(300);
    expect(load.loaded).toBeLessThan(60);
    expect(server.streams.some((each) => each.signal?.aborted === true)).toBe(true);
    expect(flat(server.streams.at(-1)?.body?.frames ?? [])[0]).toBe(300);
  });

  test("back and forth does not become a storm of requests", async () => {
    server.pace = 2;
    const { loader } = desk(server);
    const load = loader.open(REF);
    loader.view(REF, 0, 1);
    await until(load, (each) => each.loaded > 0);
    const began = performance.now();
    for (let step = 0; step < 60; step += 1) {
      loader.view(REF, (step * 37) % 400, 1);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    // Two each time that it is aimed anew, which is every 150 ms at most; a slow machine takes longer for the steps.
    expect(server.streams.length).toBeLessThan(8 + (2 * (performance.now() - began)) / 150);
    await until(load, complete);
  });
});

describe("several series", () => {
  test("come behind the one on the screen, never more than four requests at once", async () => {
    server.pace = 1;
    server.manifest = manifestOf(60);
    const { loader } = desk(server);
    const others = ["1.2.4", "1.2.5", "1.2.6"].map((seriesUid) => loader.open({ ...REF, seriesUid }));
    const load = loader.open(REF);
    loader.view(REF, 0, 1);
    const pages = Array.from({ length: 10 }, () => loader.request(() => new Promise((resolve) => setTimeout(resolve, 5))));
    await until(load, complete);
    expect(others.every((each) => each.loaded < 60)).toBe(true);
    await Promise.all([...pages, ...others.map((each) => until(each, complete))]);
    expect(server.mostOpen).toBeLessThanOrEqual(4);
    expect(loader.stats().requestsInFlight).toBe(0);
  });
});
