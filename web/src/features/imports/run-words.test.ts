import { expect, test } from "vitest";

import { acceptedSources, percent, sourceName, speed, took } from "./run-words";

test("progress is unknown until the number of files is known, and never past the end", () => {
  expect(percent({ filesSeen: 0, filesDone: 0 })).toBeNull();
  expect(percent({ filesSeen: 200, filesDone: 50 })).toBe(25);
  expect(percent({ filesSeen: 2, filesDone: 3 })).toBe(100);
});

test("speed and time left are told only as far as they are known", () => {
  expect(speed({ filesPerSecond: null, etaSeconds: null })).toBe("");
  expect(speed({ filesPerSecond: 80.4, etaSeconds: 90 })).toBe("80 files/s · about 1 min 30 s left");
});

test("a run that has not ended took no time yet", () => {
  expect(took({ startedAt: "2026-01-01T00:00:00Z", finishedAt: null })).toBe("");
  expect(took({ startedAt: "2026-01-01T00:00:00Z", finishedAt: "2026-01-01T00:02:05Z" })).toBe("2 min 5 s");
});

test("a local folder is shown as a path, a server by its address", () => {
  expect(sourceName("file:///srv/best%20of")).toBe("/srv/best of");
  expect(sourceName("file:///srv/100%")).toBe("/srv/100%");
  expect(sourceName("sftp://nas/bestof")).toBe("sftp://nas/bestof");
});

test("accepted sources are read only from a detail that has them", () => {
  expect(acceptedSources({ sources: ["file:///srv/bestof", 7] })).toEqual(["/srv/bestof"]);
  expect(acceptedSources(null)).toEqual([]);
  expect(acceptedSources({ sources: "x" })).toEqual([]);
});
