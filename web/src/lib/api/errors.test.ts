import { describe, expect, test } from "vitest";

import { ApiError, mayPass, NetworkError, readError } from "@/lib/api/errors";

function answer(status: number, body: unknown, headers: Record<string, string> = {}): Response {
  return new Response(typeof body === "string" ? body : JSON.stringify(body), { status, headers });
}

describe("an error answer", () => {
  test("in our shape gives code, message, detail and request id", async () => {
    const error = await readError(
      answer(409, { error: "case_number_taken", message: "Taken.", detail: { by: 7 }, request_id: "r-1" }),
    );
    expect(error).toMatchObject({ status: 409, code: "case_number_taken", message: "Taken.", requestId: "r-1" });
    expect(error.detail).toEqual({ by: 7 });
  });

  test("that is a proxy's page still has words and the request id of its header", async () => {
    const error = await readError(answer(502, "<html>", { "X-Request-Id": "r-2" }));
    expect(error).toMatchObject({ code: "http_502", requestId: "r-2" });
    expect(error.message).toContain("not reachable");
  });

  test("says how long to wait, in seconds or as a date", async () => {
    expect((await readError(answer(429, {}, { "Retry-After": "42" }))).retryAfter).toBe(42);
    const soon = new Date(Date.now() + 30_000).toUTCString();
    const { retryAfter } = await readError(answer(429, {}, { "Retry-After": soon }));
    expect(retryAfter).toBeGreaterThan(27);
    expect(retryAfter).toBeLessThanOrEqual(30);
    expect((await readError(answer(429, {}))).retryAfter).toBeNull();
  });
});

test("only a lost line and a server's fault are worth trying again", () => {
  expect(mayPass(new NetworkError(null))).toBe(true);
  expect(mayPass(new ApiError(503, "x", "x"))).toBe(true);
  expect(mayPass(new ApiError(404, "x", "x"))).toBe(false);
  expect(mayPass(new Error("a bug"))).toBe(false);
});
