import { expect, test } from "vitest";

import { runsToShow } from "./runs-shown";
import type { RunStatus } from "./runs-api";
import type { Source } from "./sources-api";

function source(runId: string | null, running: boolean, started = "2026-02-09T10:00:00Z"): Source {
  const run = runId === null ? null : ({ run_id: runId, running, started_at: started } as RunStatus);
  return { name: runId ?? "none", last_run: run } as Source;
}

test("every run under way is shown, and none that ended before", () => {
  expect(runsToShow([source("a", true), source("b", false, "2026-02-09T11:00:00Z"), source(null, false), source("c", true)], [])).toEqual(["a", "c"]);
});

test("when none is under way, the one that began last is shown", () => {
  expect(runsToShow([source("a", false), source("b", false, "2026-02-09T11:00:00Z"), source("c", false)], [])).toEqual(["b"]);
  expect(runsToShow([source(null, false)], [])).toEqual([]);
});

test("a run that ends keeps its place beside those that go on, and after them", () => {
  expect(runsToShow([source("a", false), source("b", true)], ["a", "b"])).toEqual(["a", "b"]);
  expect(runsToShow([source("a", false), source("b", false)], ["a", "b"])).toEqual(["a", "b"]);
});

test("its source's next run takes its place", () => {
  expect(runsToShow([source("a2", true), source("b", true)], ["a", "b"])).toEqual(["a2", "b"]);
});
