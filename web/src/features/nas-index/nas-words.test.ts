import { describe, expect, test } from "vitest";

import { totalWords, wholeness } from "./dicom-words";
import { measured, pace, percent, phase } from "./run-words";
import { filtersSet, isNarrowed, readPlace, writePlace } from "./search-address";

test("gaps and duplicates are told in sentences", () => {
  expect(wholeness({ gaps: [], duplicates: [] })).toEqual([]);
  expect(wholeness({ gaps: [{ first: 3, last: 3 }, { first: 7, last: 9 }], duplicates: [] })).toEqual(["4 image numbers are missing: 3, 7–9."]);
  expect(wholeness({ gaps: [], duplicates: [{ sop_instance_uid: "1.2", paths: ["a", "b"] }] })).toEqual(["1 image lies at more than one path."]);
});

test("a total that was not counted to its end says so", () => {
  expect(totalWords(1, true)).toBe("1 series");
  expect(totalWords(10_000, false)).toBe("More than 10,000 series");
});

describe("the address of a search", () => {
  const read = (text: string) => readPlace(new URLSearchParams(text), 50);

  test("comes back as it was written", () => {
    const text = "q=doe+jane&modality=CT&from=2024-01-18&medical_aid=GEMS&hospital=Milpark&hospital_group=Netcare&source=ward&page=3";
    expect(writePlace(read(text), { page: 3 }).toString()).toBe(text);
  });

  test("starts at page one when the search changes", () => {
    expect(writePlace(read("q=doe&page=3"), { q: "roe" }).toString()).toBe("q=roe");
  });

  test("with nonsense in it is a plain list, and never past where the server pages to", () => {
    expect(read("page=-1&from=tomorrow").page).toBe(1);
    expect(isNarrowed(read("page=2&from=tomorrow"))).toBe(false);
    expect(read("page=99999999").page).toBe(2001);
  });

  test("counts its filters without the words", () => {
    expect(filtersSet(read("q=doe&modality=CT&to=2024-01-18"))).toBe(2);
  });
});

describe("a run", () => {
  const now = Date.parse("2026-01-01T00:00:00Z");

  test("has no per cent while files are still being found", () => {
    const run = { enumerated_files: 200, files_processed: 50, phase: "reading", files_per_second: 10, estimated_completion: null };
    expect(percent({ ...run, phase: "enumerating" }, now)).toBeNull();
    expect(percent(run, now)).toBe(25);
    expect(percent({ ...run, enumerated_files: 2 }, now)).toBe(100);
  });

  test("that knows from an earlier one how many files there are has per cents from the beginning", () => {
    const run = { enumerated_files: 60, files_processed: 50, phase: "enumerating", files_per_second: 10, estimated_completion: "2026-01-01T00:00:15Z" };
    expect(percent(run, now)).toBe(25);
  });

  test("tells speed and time left only as far as they are known", () => {
    expect(pace({ files_per_second: 0, estimated_completion: null, paused: false, phase: "reading" }, now)).toBe("");
    expect(pace({ files_per_second: 3120.4, estimated_completion: "2026-01-01T00:01:30Z", paused: false, phase: "reading" }, now)).toBe("3,120 files/s · about 1 min 30 s left");
    expect(pace({ files_per_second: 3120.4, estimated_completion: "2026-01-01T00:01:30Z", paused: true, phase: "paused" }, now)).toBe("");
  });

  test("says what it does", () => {
    expect(phase({ phase: "waiting", state: "running" })).toBe("Waiting for the source to come back");
    expect(phase({ phase: "", state: "queued" })).toBe("Starting");
  });
});

test("a connection test says only what it measured", () => {
  const nothing = { ok: false, error_type: "", error_code: "", message: "", suggestion: "", latency_ms: null, throughput_mb_s: null, encrypted: null, files_sampled: 0, workers: 0 };
  expect(measured(nothing)).toBe("");
  expect(measured({ ...nothing, latency_ms: 0.02 })).toBe("answers in under 0.1 ms");
  expect(measured({ ...nothing, latency_ms: 1.84, throughput_mb_s: 112.3, encrypted: true })).toBe("answers in 1.8 ms · 112 MB/s · encrypted");
});
