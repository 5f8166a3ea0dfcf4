/** Reads how long an access token lives. It is not verified here: only the server can do that, and it does. */

interface Claims {
  exp?: unknown;
  iat?: unknown;
  sub?: unknown;
}

/** Lifetime in seconds by `exp` − `iat`; null when the token says neither. The browser's clock plays no part. */
export function lifetimeOf(token: string): number | null {
  const { exp, iat } = claimsOf(token);
  return typeof exp === "number" && typeof iat === "number" ? Math.max(0, exp - iat) : null;
}

/** Whose token it is (`sub`); null when it does not say. */
export function subjectOf(token: string): string | null {
  const { sub } = claimsOf(token);
  return typeof sub === "string" ? sub : null;
}

function claimsOf(token: string): Claims {
  const payload = token.split(".")[1] ?? "";
  try {
    const bytes = Uint8Array.from(atob(payload.replaceAll("-", "+").replaceAll("_", "/")), (each) => each.charCodeAt(0));
    return (JSON.parse(new TextDecoder().decode(bytes)) ?? {}) as Claims;
  } catch {
    return {};
  }
}

/** Milliseconds after which a token is renewed: at four fifths of its life, so that no request meets an expired one. */
export function renewAfter(token: string): number {
  const fallback = 5 * 60;
  return (lifetimeOf(token) ?? fallback) * 800;
}
