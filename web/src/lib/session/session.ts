/**
 * The session: the access token in memory, its renewal by the HttpOnly cookie, and who is signed in.
 *
 * A pure core: everything from outside (fetch, clock, storage, lock between tabs) is handed in, so tests need no browser.
 */
import { ApiError, NetworkError, readError } from "@/lib/api/errors";
import type { Me } from "@/lib/api/types";
import { renewAfter, subjectOf } from "@/lib/session/token";

export type SessionState =
  | { status: "restoring" }
  | { status: "unreachable"; error: Error }
  | { status: "signedOut"; reason: "never" | "left" | "expired" }
  | { status: "signedIn"; me: Me };

export interface SessionParts {
  fetch: (path: string, init: RequestInit) => Promise<Response>;
  /** Milliseconds that only grow. */
  now: () => number;
  /** Runs something later; gives back how to call it off. */
  later: (milliseconds: number, run: () => void) => () => void;
  /** Remembers, without any secret, that a refresh cookie may be there. */
  hint: { get: () => boolean; set: (present: boolean) => void };
}

/** The server hands the refresh token out as a cookie, and takes it, only with this header: a foreign page cannot send it. */
const FROM_PAGE = { "X-Requested-With": "readingroom", "Content-Type": "application/json" };

export class Session {
  private state: SessionState = { status: "restoring" };
  private access: { token: string; renewAt: number } | null = null;
  private renewing: Promise<string | null> | null = null;
  private callOff: (() => void) | null = null;
  /** Grows with each end: an answer that was asked for before it is nobody's any more. */
  private era = 0;
  private readonly listeners = new Set<() => void>();

  constructor(private readonly parts: SessionParts) {}

  readonly getState = (): SessionState => this.state;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  /** Who is signed in, known with the token: earlier than all else of them. Null without a session. */
  subject(): string | null {
    return this.access === null ? null : subjectOf(this.access.token);
  }

  /** On page load: picks the session up again when a refresh cookie may be there. */
  async restore(): Promise<void> {
    if (!this.parts.hint.get()) {
      this.become({ status: "signedOut", reason: "never" });
      return;
    }
    const { era } = this;
    this.become({ status: "restoring" });
    try {
      if ((await this.renew()) === null) return;
      // There is a subject now: what needs no more of them than that may begin.
      this.become({ status: "restoring" });
      await this.learnWhoIAm();
    } catch (error) {
      if (era !== this.era) return;
      this.become({ status: "unreachable", error: error as Error });
    }
  }

  /** Throws ApiError (401 wrong, 429 too many tries) or NetworkError. */
  async signIn(username: string, password: string): Promise<void> {
    const response = await this.post("/api/token/", { username, password });
    if (!response.ok) throw await readError(response);
    this.renewing = null;
    this.keep(((await response.json()) as { access: string }).access);
    this.parts.hint.set(true);
    await this.learnWhoIAm();
  }

  async signOut(): Promise<void> {
    const token = this.access?.token;
    this.end("left");
    try {
      await this.post("/api/token/sign-out/", {}, token);
    } catch {
      // The page has forgotten the session already; the cookie ends by itself.
    }
  }

  /** Forgets the session, here and (by the hint) in the other tabs. */
  end(reason: "left" | "expired"): void {
    this.callOff?.();
    this.callOff = null;
    this.access = null;
    this.renewing = null;
    this.era += 1;
    this.parts.hint.set(false);
    this.become({ status: "signedOut", reason });
  }

  /** The token to send. Waits while one is being renewed; null when there is no session. */
  async token(): Promise<string | null> {
    if (this.renewing !== null) return this.renewing;
    if (this.access === null) return null;
    if (this.parts.now() < this.access.renewAt) return this.access.token;
    return this.renew();
  }

  /** After a 401 on `used`: a newer token if one is there already, else a renewed one; null ends the session. */
  async tokenAfterRefusal(used: string | null): Promise<string | null> {
    if (this.renewing === null && this.access !== null && this.access.token !== used) return this.access.token;
    return this.renew();
  }

  /**
   * Renews the access token; all who ask meanwhile wait for the same answer. Null means that the session is over. Tabs need not wait for
   * each other: the server gives those who come within half a minute of one another the same next refresh token.
   */
  private renew(): Promise<string | null> {
    if (this.renewing !== null) return this.renewing;
    const renewing = this.askForNewToken().finally(() => {
      if (this.renewing === renewing) this.renewing = null;
    });
    this.renewing = renewing;
    return renewing;
  }

  private async askForNewToken(): Promise<string | null> {
    const { era } = this;
    const response = await this.post("/api/token/refresh/", {});
    if (era !== this.era) return null;
    if (response.status === 401 || response.status === 403) {
      this.end("expired");
      return null;
    }
    if (!response.ok) throw await readError(response);
    const { access } = (await response.json()) as { access: string };
    if (era !== this.era) return null;
    this.keep(access);
    return access;
  }

  private keep(token: string): void {
    const wait = renewAfter(token);
    this.access = { token, renewAt: this.parts.now() + wait };
    this.callOff?.();
    this.callOff = this.parts.later(wait, () => {
      // A failure here (offline, asleep) is met again by the next request, which then says so on the page.
      this.renew().catch(() => undefined);
    });
  }

  private async learnWhoIAm(): Promise<void> {
    const { era } = this;
    const response = await this.send("/api/me", {
      headers: { Authorization: `Bearer ${this.access?.token ?? ""}`, Accept: "application/json" },
    });
    if (era !== this.era || this.access === null) return;
    if (response.status === 401) {
      this.end("expired");
      throw new ApiError(401, "unauthenticated", "The session could not be opened. Please sign in again.");
    }
    if (!response.ok) throw await readError(response);
    const me = (await response.json()) as Me;
    if (era === this.era) this.become({ status: "signedIn", me });
  }

  private post(path: string, body: object, token?: string): Promise<Response> {
    const headers: Record<string, string> = { ...FROM_PAGE };
    if (token !== undefined) headers.Authorization = `Bearer ${token}`;
    return this.send(path, { method: "POST", headers, body: JSON.stringify(body) });
  }

  private async send(path: string, init: RequestInit): Promise<Response> {
    try {
      return await this.parts.fetch(path, { credentials: "same-origin", ...init });
    } catch (error) {
      throw new NetworkError(error);
    }
  }

  private become(state: SessionState): void {
    this.state = state;
    for (const listener of this.listeners) listener();
  }
}
