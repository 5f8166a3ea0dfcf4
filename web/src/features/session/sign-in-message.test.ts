import { expect, test } from "vitest";

import { ApiError } from "@/lib/api/errors";

import { isAnotherProgram, returnPath, signInMessage } from "./sign-in-message";

test("a limited sign-in says how long to wait", () => {
  expect(signInMessage(new ApiError(429, "rate_limited", "x", null, null, 90))).toContain("1 min 30 s");
  expect(signInMessage(new ApiError(429, "rate_limited", "x"))).toContain("Wait a moment");
});

test("the way back after signing in never leaves this site", () => {
  expect(returnPath("/admin/imports?x=1")).toBe("/admin/imports?x=1");
  for (const bad of [null, "", "https://evil.example", "//evil.example", "/\\evil.example", "/sign-in?next=/cases"]) {
    expect(returnPath(bad)).toBe("/");
  }
});

test("the way back to OHIF is loaded afresh, and nothing else is", () => {
  for (const path of ["/ohif", "/ohif/", "/ohif?x=1", "/ohif/viewer?StudyInstanceUIDs=1.2.3"]) {
    expect(isAnotherProgram(returnPath(path))).toBe(true);
  }
  for (const path of ["/", "/cases", "/ohifs", "/viewer/1.2?from=/ohif/"]) expect(isAnotherProgram(path)).toBe(false);
});
