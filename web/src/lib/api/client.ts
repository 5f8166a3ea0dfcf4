/** Requests to our API: with the session's token, renewed once after a 401, errors as ApiError or NetworkError. */
import { NetworkError, readError } from "@/lib/api/errors";
import { withQuery, type QueryValue } from "@/lib/api/query";

/** What the client needs of a session. */
export interface TokenSource {
  token: () => Promise<string | null>;
  tokenAfterRefusal: (used: string | null) => Promise<string | null>;
  end: (reason: "expired") => void;
}

export interface Options {
  query?: Record<string, QueryValue>;
  /** A Blob goes as the bytes that it is, anything else as JSON. */
  body?: unknown;
  /** On top of those that every request has, such as If-None-Match. */
  headers?: Record<string, string>;
  signal?: AbortSignal;
}

export class ApiClient {
  constructor(
    private readonly tokens: TokenSource,
    private readonly fetch: (path: string, init: RequestInit) => Promise<Response>,
  ) {}

  get<T>(path: string, options: Options = {}): Promise<T> {
    return this.json<T>("GET", path, options);
  }

  post<T>(path: string, body: unknown): Promise<T> {
    return this.json<T>("POST", path, { body });
  }

  put<T>(path: string, body: unknown): Promise<T> {
    return this.json<T>("PUT", path, { body });
  }

  delete<T = null>(path: string): Promise<T> {
    return this.json<T>("DELETE", path, {});
  }

  /** The answer as it came, for files and for the API browser; error statuses are thrown. */
  async raw(method: string, path: string, options: Options = {}): Promise<Response> {
    const response = await this.answer(method, path, options);
    if (!response.ok) throw await readError(response);
    return response;
  }

  /** The answer whatever its status; a 401 has been tried again with a fresh token. */
  async answer(method: string, path: string, options: Options = {}): Promise<Response> {
    const token = await this.tokens.token();
    const first = await this.send(method, path, options, token);
    if (first.status !== 401) return first;
    const renewed = await this.tokens.tokenAfterRefusal(token);
    if (renewed === null) return first;
    const second = await this.send(method, path, options, renewed);
    if (second.status === 401) this.tokens.end("expired");
    return second;
  }

  private async json<T>(method: string, path: string, options: Options): Promise<T> {
    const response = await this.raw(method, path, options);
    if (response.status === 204) return null as T;
    const text = await response.text();
    return (text === "" ? null : JSON.parse(text)) as T;
  }

  private async send(method: string, path: string, options: Options, token: string | null): Promise<Response> {
    const headers: Record<string, string> = { Accept: "application/json", ...options.headers };
    if (token !== null) headers.Authorization = `Bearer ${token}`;
    const init: RequestInit = { method, headers, credentials: "same-origin" };
    if (options.signal !== undefined) init.signal = options.signal;
    if (options.body instanceof Blob) {
      headers["Content-Type"] = "application/octet-stream";
      init.body = options.body;
    } else if (options.body !== undefined) {
      headers["Content-Type"] = "application/json";
      init.body = JSON.stringify(options.body);
    }
    try {
      return await this.fetch(withQuery(path, options.query), init);
    } catch (error) {
      if (options.signal?.aborted === true) throw error;
      throw new NetworkError(error);
    }
  }
}
