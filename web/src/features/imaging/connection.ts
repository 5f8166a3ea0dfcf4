/** Whether the server can be reached: noticed by what fails, asked again every few seconds until it answers. */
import { useSyncExternalStore } from "react";

/** `offline`: this device has no line at all. `unreachable`: it has one, and the server does not answer. */
export type Line = "up" | "offline" | "unreachable";

export interface ConnectionParts {
  /** True when the server answers. */
  ask: () => Promise<boolean>;
  hasLine: () => boolean;
  later: (milliseconds: number, run: () => void) => () => void;
}

export const ASK_AGAIN_MS = 3_000;

export class Connection {
  private line: Line = "up";
  private isAsking = false;
  private callOff: (() => void) | null = null;
  private readonly listeners = new Set<() => void>();

  constructor(private readonly parts: ConnectionParts) {}

  readonly get = (): Line => this.line;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  /** Something got no answer, or the browser says that its line has gone or come: find out. */
  readonly doubt = (): void => {
    void this.check();
  };

  /** Something was answered. */
  readonly heard = (): void => {
    this.callOff?.();
    this.callOff = null;
    this.become("up");
  };

  private async check(): Promise<void> {
    if (this.isAsking) return;
    this.isAsking = true;
    this.callOff?.();
    this.callOff = null;
    const answered = await this.parts.ask();
    this.isAsking = false;
    if (answered) {
      this.heard();
      return;
    }
    this.become(this.parts.hasLine() ? "unreachable" : "offline");
    this.callOff = this.parts.later(ASK_AGAIN_MS, this.doubt);
  }

  private become(line: Line): void {
    if (line === this.line) return;
    this.line = line;
    for (const listener of this.listeners) listener();
  }
}

async function askHealth(): Promise<boolean> {
  try {
    // Any answer will do: a server that is starting has its own words for that.
    await fetch("/health", { cache: "no-store", signal: AbortSignal.timeout(8_000) });
    return true;
  } catch {
    return false;
  }
}

export const connection = new Connection({
  ask: askHealth,
  hasLine: () => navigator.onLine,
  later: (milliseconds, run) => {
    const timer = setTimeout(run, milliseconds);
    return () => clearTimeout(timer);
  },
});

export function useLine(): Line {
  return useSyncExternalStore(connection.subscribe, connection.get);
}

/** Called once, when the first of these pages is loaded. */
export function listenToTheLine(): void {
  window.addEventListener("offline", connection.doubt);
  window.addEventListener("online", connection.doubt);
}
