import { expect, test } from "vitest";

import { csvOf } from "@/lib/csv";

test("cells with commas, quotes and line ends are quoted", () => {
  expect(csvOf([["a", 1, null], ['say "hello", twice', "two\nlines", "plain"]])).toBe('a,1,\r\n"say ""hello"", twice","two\nlines",plain\r\n');
});

test("a file name is never a formula", () => {
  expect(csvOf([["=1+1", "@cmd", "-x", "+y", "a=b"]])).toBe("'=1+1,'@cmd,'-x,'+y,a=b\r\n");
});
