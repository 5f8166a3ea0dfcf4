/** The one session of this page, made of the browser's own parts. */
import { Session } from "@/lib/session/session";

const HINT = "readingroom.session";

/** Storage can be switched off in a browser: then the session ends with the page. */
const hint = {
  get: (): boolean => {
    try {
      return localStorage.getItem(HINT) === "1";
    } catch {
      return false;
    }
  },
  set: (present: boolean): void => {
    try {
      if (present) localStorage.setItem(HINT, "1");
      else localStorage.removeItem(HINT);
    } catch {
      // Nothing to remember it in.
    }
  },
};

export const session = new Session({
  fetch: (path, init) => fetch(path, init),
  now: () => performance.now(),
  later: (milliseconds, run) => {
    // setTimeout holds 2^31 − 1 ms; a longer life is renewed earlier than needed, which does no harm.
    const timer = setTimeout(run, Math.min(milliseconds, 2 ** 31 - 1));
    return () => {
      clearTimeout(timer);
    };
  },
  hint,
});

let restored: Promise<void> | null = null;

/** Picks the session up once for the page, whoever comes first: early.ts or main.tsx. */
export function restoreSession(): Promise<void> {
  restored ??= session.restore();
  return restored;
}

/** Signs this tab out when another one did. Called once, at the start. */
export function followOtherTabs(): void {
  window.addEventListener("storage", (event) => {
    if (event.key === HINT && event.newValue === null && session.getState().status !== "signedOut") session.end("left");
  });
}
