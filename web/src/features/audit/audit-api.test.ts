import { expect, test } from "vitest";

import { csvPath, NO_FILTER, toQuery } from "./audit-api";

test("the last day of a range is included whole", () => {
  const { from, to } = toQuery({ ...NO_FILTER, from: "2026-03-01", to: "2026-03-01" });
  expect(Date.parse(to) - Date.parse(from)).toBe(24 * 3600 * 1000);
});

test("an unfinished date asks for nothing", () => {
  expect(toQuery({ ...NO_FILTER, from: "2026-0" }).from).toBe("");
  expect(csvPath(NO_FILTER)).toBe("/api/audit.csv");
});
