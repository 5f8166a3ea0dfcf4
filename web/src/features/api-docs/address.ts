/** Puts what was typed into a path and its query string. */
import { withQuery } from "@/lib/api/query";

import type { Parameter } from "./openapi";

export function addressOf(path: string, parameters: readonly Parameter[], values: Record<string, string>): string {
  let filled = path;
  const query: Record<string, string> = {};
  for (const { name, in: place } of parameters) {
    const value = (values[name] ?? "").trim();
    // Werkzeug writes a typed path part as <uuid:id>, OpenAPI as {id}.
    if (place === "path") filled = filled.replace(`{${name}}`, encodeURIComponent(value));
    else query[name] = value;
  }
  return withQuery(filled, query);
}
