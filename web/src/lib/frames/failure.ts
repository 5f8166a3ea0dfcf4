/** What went wrong, in the words that page and frame worker share. */
import { ApiError } from "@/lib/api/errors";
import type { Failure } from "@/lib/frames/messages";
import { StreamBroken } from "@/lib/frames/records";
import { LoadProblem } from "@/lib/frames/series";

export function asFailure(error: unknown): Failure {
  const none = { code: "", retryAfter: null };
  if (error instanceof ApiError) {
    const { status, code, message, retryAfter } = error;
    return { status, code, message, retryAfter };
  }
  if (error instanceof LoadProblem) return { ...none, status: error.status, message: error.message };
  if (error instanceof StreamBroken) return { ...none, status: -1, message: error.message };
  return { ...none, status: 0, message: error instanceof Error ? error.message : "No answer came." };
}
