import { expect, test } from "vitest";

import { homeOf, placesOf } from "@/app/places";

const NOBODY = { user: "sam", roles: [], capabilities: [], clinic: null };

test("everybody begins at the first place that is theirs", () => {
  expect(homeOf({ ...NOBODY, capabilities: ["cases.read", "imaging.read"], clinic: "12" })).toBe("/cases");
  expect(homeOf({ ...NOBODY, capabilities: ["imaging.read"], clinic: "12" })).toBe("/imaging");
  expect(homeOf(NOBODY)).toBe("/docs");
});

test("pictures are a place of a clinic's people alone", () => {
  const labels = (clinic: string | null) => placesOf({ ...NOBODY, capabilities: ["imaging.read"], clinic }).map(({ label }) => label);
  expect(labels("12")).toEqual(["Pictures", "API"]);
  expect(labels(null)).toEqual(["API"]);
});
