import { beforeEach, describe, expect, test } from "vitest";

import { ApiClient } from "@/lib/api/client";
import { ApiError, NetworkError } from "@/lib/api/errors";
import { Session } from "@/lib/session/session";
import { lifetimeOf, renewAfter } from "@/lib/session/token";

const ME = { user: "sam", roles: ["student"], capabilities: ["cases.read"], clinic: null };

function token(name: string, seconds = 100): string {
  const part = (value: object) => btoa(JSON.stringify(value));
  return `${part({})}.${part({ iat: 1000, exp: 1000 + seconds })}.${name}`;
}

/** A server with a clock: knows which access tokens are good, and counts what it is asked. */
class Server {
  time = 0;
  good = "";
  made = 0;
  asked: string[] = [];
  refreshStatus = 200;
  slow: Promise<unknown> = Promise.resolve();
  timers: { at: number; run: () => void }[] = [];
  hint = false;

  readonly parts = {
    fetch: (path: string, init: RequestInit) => this.answer(path, init),
    now: () => this.time,
    later: (milliseconds: number, run: () => void) => {
      const timer = { at: this.time + milliseconds, run };
      this.timers.push(timer);
      return () => {
        this.timers = this.timers.filter((other) => other !== timer);
      };
    },
    hint: {
      get: () => this.hint,
      set: (present: boolean) => {
        this.hint = present;
      },
    },
  };

  readonly session = new Session(this.parts);
  readonly api = new ApiClient(this.session, this.parts.fetch);

  private fresh(): Response {
    this.made += 1;
    this.good = token(`t${this.made}`);
    return Response.json({ access: this.good });
  }

  private async answer(path: string, init: RequestInit): Promise<Response> {
    this.asked.push(path);
    const headers = new Headers(init.headers);
    if (path === "/api/token/") {
      const { password } = JSON.parse(init.body as string) as { password: string };
      return password === "right" ? this.fresh() : Response.json({ error: "wrong", message: "No." }, { status: 401 });
    }
    if (path === "/api/token/refresh/") {
      expect(headers.get("X-Requested-With")).toBe("readingroom");
      await this.slow;
      return this.refreshStatus === 200 ? this.fresh() : Response.json({}, { status: this.refreshStatus });
    }
    if (headers.get("Authorization") !== `Bearer ${this.good}`) return Response.json({}, { status: 401 });
    return Response.json(path === "/api/me" ? ME : { path });
  }

  count(path: string): number {
    return this.asked.filter((asked) => asked === path).length;
  }
}

let server: Server;
beforeEach(() => {
  server = new Server();
});

test("a token's life is read without trusting the browser's clock", () => {
  expect(lifetimeOf(token("a", 900))).toBe(900);
  expect(renewAfter(token("a", 900))).toBe(720_000);
  expect(lifetimeOf("nonsense")).toBeNull();
});

describe("signing in", () => {
  test("ends signed in, and remembers that a cookie is there but no secret", async () => {
    await server.session.signIn("sam", "right");
    expect(server.session.getState()).toEqual({ status: "signedIn", me: ME });
    expect(server.hint).toBe(true);
  });

  test("with a wrong password throws what the server said and changes nothing", async () => {
    await expect(server.session.signIn("sam", "wrong")).rejects.toBeInstanceOf(ApiError);
    expect(server.session.getState().status).toBe("restoring");
    expect(server.hint).toBe(false);
  });
});

describe("loading the page", () => {
  test("asks the server nothing when nobody had signed in here", async () => {
    await server.session.restore();
    expect(server.session.getState()).toEqual({ status: "signedOut", reason: "never" });
    expect(server.asked).toEqual([]);
  });

  test("picks the session up by the cookie", async () => {
    server.hint = true;
    await server.session.restore();
    expect(server.session.getState().status).toBe("signedIn");
  });

  test("says that the server is not there instead of ending the session", async () => {
    server.hint = true;
    server.refreshStatus = 503;
    await server.session.restore();
    expect(server.session.getState().status).toBe("unreachable");
    expect(server.hint).toBe(true);
  });
});

describe("renewing", () => {
  test("happens by itself before the token expires", async () => {
    await server.session.signIn("sam", "right");
    server.time = 80_000;
    server.timers[0]?.run();
    await server.api.get("/api/x");
    expect(server.made).toBe(2);
    expect(server.session.getState().status).toBe("signedIn");
  });

  test("is done once while many requests wait for it", async () => {
    await server.session.signIn("sam", "right");
    server.time = 1e9;
    const gate = new EventTarget();
    server.slow = new Promise((resolve) => {
      gate.addEventListener("open", resolve);
    });
    const answers = [1, 2, 3, 4].map((n) => server.api.get(`/api/x${n}`));
    await Promise.resolve();
    expect(server.asked.filter((path) => path.startsWith("/api/x"))).toEqual([]);
    gate.dispatchEvent(new Event("open"));
    await Promise.all(answers);
    expect(server.count("/api/token/refresh/")).toBe(1);
  });

  test("after a 401 sends the request again with the new token", async () => {
    await server.session.signIn("sam", "right");
    server.good = "revoked meanwhile";
    await expect(server.api.get("/api/x")).resolves.toEqual({ path: "/api/x" });
    expect(server.count("/api/x")).toBe(2);
    expect(server.count("/api/token/refresh/")).toBe(1);
  });

  test("that is refused ends the session as expired", async () => {
    await server.session.signIn("sam", "right");
    server.good = "revoked";
    server.refreshStatus = 401;
    await expect(server.api.get("/api/x")).rejects.toMatchObject({ status: 401 });
    expect(server.session.getState()).toEqual({ status: "signedOut", reason: "expired" });
    expect(server.hint).toBe(false);
  });

  test("that meets a server out of order fails the request and keeps the session", async () => {
    await server.session.signIn("sam", "right");
    server.time = 1e9;
    server.refreshStatus = 502;
    await expect(server.api.get("/api/x")).rejects.toMatchObject({ status: 502 });
    expect(server.session.getState().status).toBe("signedIn");
  });
});

test("signing out forgets the session even when the server cannot be told", async () => {
  await server.session.signIn("sam", "right");
  server.parts.fetch = () => Promise.reject(new TypeError("offline"));
  await server.session.signOut();
  expect(server.session.getState()).toEqual({ status: "signedOut", reason: "left" });
  expect(await server.session.token()).toBeNull();
});

describe("an answer that comes after the session was ended", () => {
  let gate: EventTarget;
  beforeEach(() => {
    gate = new EventTarget();
    server.slow = new Promise((resolve) => {
      gate.addEventListener("open", resolve);
    });
  });

  test("with a new token opens it no more", async () => {
    await server.session.signIn("sam", "right");
    server.time = 1e9;
    const asked = server.session.token();
    await server.session.signOut();
    gate.dispatchEvent(new Event("open"));
    expect(await asked).toBeNull();
    expect([server.session.subject(), await server.session.token(), server.timers.length]).toEqual([null, null, 0]);
  });

  test("and is a refusal does not end the next one", async () => {
    await server.session.signIn("sam", "right");
    server.time = 1e9;
    server.refreshStatus = 401;
    const asked = server.session.token();
    await server.session.signOut();
    await server.session.signIn("sam", "right");
    gate.dispatchEvent(new Event("open"));
    await asked;
    expect(server.session.getState().status).toBe("signedIn");
    expect(await server.session.token()).toBe(server.good);
  });

  test("and says who it was signs nobody in", async () => {
    server.hint = true;
    const restored = server.session.restore();
    gate.dispatchEvent(new Event("open"));
    const stop = server.session.subscribe(() => {
      if (server.made > 0 && server.session.getState().status === "restoring") server.session.end("left");
    });
    await restored;
    stop();
    expect(server.session.getState()).toEqual({ status: "signedOut", reason: "left" });
  });
});

test("no answer at all is a NetworkError", async () => {
  const client = new ApiClient(server.session, () => Promise.reject(new TypeError("offline")));
  await expect(client.get("/api/x")).rejects.toBeInstanceOf(NetworkError);
});
