import { describe, expect, test } from "vitest";

import type { Case } from "@/lib/api/types";

import { allMatching } from "./all-matching";
import { readPlace, writePlace } from "./list-address";
import { NOTHING, toggled, tooMany, totalBytes, withAll, without } from "./selection";

function made(id: number, files = 10): Case {
  return {
    id: String(id),
    caseNumber: id,
    examType: "CT",
    title: "",
    text: "",
    published: true,
    exists: files > 0,
    fileCount: files,
    totalSizeBytes: files * 1000,
    studyUids: [],
    expectedPath: "",
    withdrawn: false,
    createdAt: "",
    updatedAt: "",
  };
}

const many = (count: number) => Array.from({ length: count }, (_, index) => made(index + 1));

describe("a selection", () => {
  test("takes and drops a case, and adds up the sizes", () => {
    const two = toggled(toggled(NOTHING, made(1)), made(2, 5));
    expect(totalBytes(two)).toBe(15_000);
    expect([...toggled(two, made(1)).keys()]).toEqual(["2"]);
    expect(NOTHING.size).toBe(0);
  });

  test("never takes a case without DICOMs", () => {
    expect(toggled(NOTHING, made(1, 0)).size).toBe(0);
    expect(withAll(NOTHING, [made(1, 0), made(2)]).size).toBe(1);
  });

  test("past fifty cases says how many are too many", () => {
    expect(tooMany(withAll(NOTHING, many(50)))).toBeNull();
    expect(tooMany(withAll(NOTHING, many(51)))).toContain("Uncheck 1 case ");
    expect(tooMany(without(withAll(NOTHING, many(51)), [made(3)]))).toBeNull();
  });
});

test("all matching cases are read page after page, also when the list shrinks meanwhile", async () => {
  const cases = many(230);
  const asked: number[] = [];
  const found = await allMatching((limit, offset) => {
    asked.push(offset);
    return Promise.resolve({ items: cases.slice(offset, offset + limit), total: 230 });
  });
  expect(found).toHaveLength(230);
  expect(asked).toEqual([0, 100, 200]);
  expect(await allMatching(() => Promise.resolve({ items: [], total: 5 }))).toEqual([]);
});

test("the list's place is in the address, and a new filter starts at page one", () => {
  const place = readPlace(new URLSearchParams("q=knee&page=3"));
  expect(place).toEqual({ q: "knee", examType: "", page: 3 });
  expect(writePlace(place, { examType: "MRI" }).toString()).toBe("q=knee&examType=MRI");
  expect(writePlace(place, { page: 2 }).toString()).toBe("q=knee&page=2");
  expect(readPlace(new URLSearchParams("page=-4")).page).toBe(1);
});
