/** Short messages at the edge of the page. */
import { notifications } from "@mantine/notifications";

import { ApiError } from "@/lib/api/errors";

const CLOSE = { "aria-label": "Close" };

export function notifyDone(title: string, message: string): void {
  notifications.show({ title, message, color: "petrol", closeButtonProps: CLOSE });
}

/** Stays until it is closed: an error with its request id must not slip away. */
export function notifyFailed(title: string, error: Error): void {
  const id = error instanceof ApiError && error.requestId !== null ? ` (request ${error.requestId})` : "";
  notifications.show({ title, message: `${error.message}${id}`, color: "red", autoClose: false, closeButtonProps: CLOSE });
}
