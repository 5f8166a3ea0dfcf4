import "fake-indexeddb/auto";

import { IDBFactory, IDBKeyRange } from "fake-indexeddb";
import { afterEach, beforeEach, expect, test } from "vitest";

import { openStore } from "@/lib/frames/shelf";
import { manifestOf } from "@/lib/frames/stream-maker";
import { closeAll, desk, kept, REF, Server, until } from "@/lib/frames/test-desk";

let server: Server;

beforeEach(() => {
  indexedDB = new IDBFactory();
  server = new Server();
  server.manifest = manifestOf(60);
});
afterEach(closeAll);

async function keptBytes(): Promise<number> {
  const store = await openStore({ indexedDB, IDBKeyRange });
  const all = await store.series.toArray();
  store.close();
  return all.reduce((sum, { bytes }) => sum + bytes, 0);
}

test("two tabs together keep no more than the budget says", async () => {
  const settings = { budgetBytes: 15_000, keepHours: 24 };
  const [one, other] = [desk(server, { settings }), desk(server, { settings })];
  const uids = ["1", "2", "3", "4"];
  for (const seriesUid of uids) {
    for (const { loader } of [one, other]) {
      const ref = { ...REF, seriesUid: `${seriesUid}.${loader === one.loader ? 1 : 2}` };
      const load = loader.open(ref);
      await until(load, kept);
      loader.close(ref);
    }
  }
  expect(await keptBytes()).toBeLessThanOrEqual(15_000 + 6_000);
});
