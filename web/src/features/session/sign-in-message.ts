/** Why a sign-in was refused, in words for the person in front of the page. */
import { ApiError } from "@/lib/api/errors";
import { duration } from "@/lib/format";

export function signInMessage(error: Error): string {
  if (error instanceof ApiError && error.status === 401) return "This name and password do not fit together.";
  if (error instanceof ApiError && error.status === 429) {
    return error.retryAfter === null
      ? "Too many tries in a short time. Wait a moment, then try again."
      : `Too many tries in a short time. Try again in ${duration(error.retryAfter)}.`;
  }
  return error.message;
}

/** Whether an address of this server is another program's page, which the browser must load afresh. */
export function isAnotherProgram(path: string): boolean {
  return /^\/ohif(\/|\?|$)/.test(path);
}

/** Where to go after signing in: a path of our own only, so that a link cannot lead elsewhere. */
export function returnPath(next: string | null): string {
  if (next === null || !next.startsWith("/") || next.startsWith("//") || next.includes("\\")) return "/";
  return next.startsWith("/sign-in") ? "/" : next;
}
