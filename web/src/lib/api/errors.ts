/**
 * What can go wrong between a page and the server.
 *
 *     Error
 *     ├── ApiError      the server answered, with our error shape {error, message, detail, request_id} or without
 *     └── NetworkError  no answer came: offline, server down, connection cut
 */

/** The server answered with an error status. */
export class ApiError extends Error {
  override readonly name = "ApiError";

  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly detail: unknown = null,
    readonly requestId: string | null = null,
    /** Seconds to wait before another try makes sense; null when the server did not say. */
    readonly retryAfter: number | null = null,
  ) {
    super(message);
  }
}

/** No answer came at all. */
export class NetworkError extends Error {
  override readonly name = "NetworkError";

  constructor(cause: unknown) {
    super("The server cannot be reached. Check the connection and try again.", { cause });
  }
}

/** True when trying the same again may help: no answer, or a fault on the server's side. */
export function mayPass(error: unknown): boolean {
  return error instanceof NetworkError || (error instanceof ApiError && error.status >= 500);
}

/** Reads an error answer; bodies that are not ours (a proxy's page, an empty 502) still give a usable error. */
export async function readError(response: Response): Promise<ApiError> {
  const requestIdHeader = response.headers.get("X-Request-Id");
  const body = await readObject(response);
  const code = text(body.error) ?? `http_${response.status}`;
  const message = text(body.message) ?? plainMessage(response.status);
  const requestId = text(body.request_id) ?? requestIdHeader;
  return new ApiError(response.status, code, message, body.detail ?? null, requestId, retryAfter(response));
}

/** Retry-After in seconds; the date form (RFC 9110 section 10.2.3) is turned into seconds from now. */
function retryAfter(response: Response): number | null {
  const raw = response.headers.get("Retry-After");
  if (raw === null) return null;
  if (/^\d+$/.test(raw.trim())) return Number(raw);
  const date = Date.parse(raw);
  return Number.isNaN(date) ? null : Math.max(0, Math.ceil((date - Date.now()) / 1000));
}

async function readObject(response: Response): Promise<Record<string, unknown>> {
  try {
    const body: unknown = await response.json();
    return typeof body === "object" && body !== null ? (body as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

function text(value: unknown): string | null {
  return typeof value === "string" && value !== "" ? value : null;
}

function plainMessage(status: number): string {
  if (status === 401) return "Please sign in.";
  if (status === 403) return "Your account may not do this.";
  if (status === 404) return "This is not here, or not yours to see.";
  if (status === 413) return "That is more than the server takes in one request.";
  if (status === 429) return "Too many tries in a short time.";
  if (status === 502 || status === 503 || status === 504) return "Reading Room is starting or not reachable right now.";
  return `The server answered with an error (${status}).`;
}
