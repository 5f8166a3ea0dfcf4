import { expect, test } from "vitest";

import { pageCount, pageWithin, pageWords } from "@/lib/paging";

test("a page says which rows it shows, of how many", () => {
  expect(pageWords(1, 50, 420, true)).toBe("1–50 of 420");
  expect(pageWords(9, 50, 420, true)).toBe("401–420 of 420");
  expect(pageCount(1, 50, 420, true)).toBe(9);
  expect(pageCount(1, 50, 0, true)).toBe(1);
});

test("where the server stopped counting, the list goes on past what it counted", () => {
  expect(pageWords(1, 50, 10_000, false)).toBe("1–50 of more than 10,000");
  expect(pageWords(201, 50, 10_000, false)).toBe("10,001–10,050 of more than 10,050");
  expect(pageCount(1, 50, 10_000, false)).toBe(201);
  expect(pageCount(205, 50, 10_000, false)).toBe(206);
});

test("a list that became shorter leads back to its last page, and no other does", () => {
  expect(pageWithin(3, 25, 50, 0)).toBe(2);
  expect(pageWithin(99, 25, 3, 0)).toBe(1);
  expect(pageWithin(2, 25, 0, 0)).toBe(1);
  expect(pageWithin(2, 25, 50, 25)).toBeNull();
  expect(pageWithin(1, 25, 0, 0)).toBeNull();
  expect(pageWithin(2, 25, 50, 0)).toBeNull();
});
