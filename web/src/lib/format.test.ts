import { describe, expect, test } from "vitest";

import { bytes, caseNumber, duration, expectedPath, plural, time, timeIn } from "@/lib/format";

describe("a case number", () => {
  test("has four digits, and grows past 9999", () => {
    expect(caseNumber(42)).toBe("0042");
    expect(caseNumber(9999)).toBe("9999");
    expect(caseNumber(12345)).toBe("12345");
  });

  test("names the expected folder, also while type and number are still missing", () => {
    expect(expectedPath("MRI", 42)).toBe("bestof/MRI/0042/");
    expect(expectedPath("", null)).toBe("bestof/{exam type}/{number}/");
  });
});

describe("a size", () => {
  test.each([
    [0, "0 B"],
    [999, "999 B"],
    [1000, "1 kB"],
    [999_499, "999 kB"],
    [999_500, "1 MB"],
    [39_900_000, "39.9 MB"],
    [312_000_000, "312 MB"],
    [16_000_000_000, "16 GB"],
    [1.234e15, "1234 TB"],
  ])("of %d bytes reads %s", (value, text) => {
    expect(bytes(value)).toBe(text);
  });
});

test("one is singular", () => {
  expect(plural(1, "case")).toBe("1 case");
  expect(plural(0, "case")).toBe("0 cases");
  expect(plural(1200, "file")).toBe("1,200 files");
});

test("a stretch of time shows its two largest units", () => {
  expect(duration(42)).toBe("42 s");
  expect(duration(90)).toBe("1 min 30 s");
  expect(duration(3 * 3600 + 61)).toBe("3 h 1 min");
});

test("a missing time is a dash, a strange one is shown as it came", () => {
  expect(time(null)).toBe("–");
  expect(time("yesterday")).toBe("yesterday");
});

test("a time of another zone is told as the clocks there have it, with its name", () => {
  expect(timeIn("Africa/Johannesburg", "2024-01-18T22:30:00Z")).toMatch(/^19 Jan 2024, 00:30( GMT\+2)?$/);
  expect(timeIn("Pacific/Chatham", "2024-01-18T22:30:00Z")).toBe("19 Jan 2024, 12:15 GMT+13:45");
  const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
  expect(timeIn(own, "2024-01-18T22:30:00Z")).toBe(time("2024-01-18T22:30:00Z"));
  expect(timeIn("Africa/Johannesburg", null)).toBe("–");
  expect(timeIn("Africa/Johannesburg", "yesterday")).toBe("yesterday");
});
