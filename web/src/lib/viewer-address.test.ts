import { expect, test } from "vitest";

import { viewedAt, viewerPath } from "@/lib/viewer-address";

test("an address leads back to what it shows", () => {
  expect(viewedAt(viewerPath("1.2.3"))).toEqual({ studyUid: "1.2.3" });
  expect(viewedAt(viewerPath("1.2.3", "4/5 6"))).toEqual({ studyUid: "1.2.3", seriesUid: "4/5 6" });
  expect(viewedAt("/viewer/1.2.3/4.5/")).toEqual({ studyUid: "1.2.3", seriesUid: "4.5" });
});

test.each(["/", "/viewer", "/viewer/", "/cases/1", "/viewer/1/2/3", "/viewer/%E0%A4%A", "/viewer/1/%"])("%s is none of a study", (path) => {
  expect(viewedAt(path)).toBeNull();
});
