/** Reads how long an access token lives. It is not verified here: only the server can do that, and it does. */

/** Lifetime in seconds by `exp` − `iat`; null when the token says neither. The browser's clock plays no part. */
export function lifetimeOf(token: string): number | null {
  const payload = token.split(".")[1];
  if (payload === undefined) return null;
  try {
    const json = atob(payload.replaceAll("-", "+").replaceAll("_", "/"));
    const claims = JSON.parse(json) as { exp?: unknown; iat?: unknown };
    if (typeof claims.exp !== "number" || typeof claims.iat !== "number") return null;
    return Math.max(0, claims.exp - claims.iat);
  } catch {
    return null;
  }
}

/** Milliseconds after which a token is renewed: at four fifths of its life, so that no request meets an expired one. */
export function renewAfter(token: string): number {
  const fallback = 5 * 60;
  return (lifetimeOf(token) ?? fallback) * 800;
}
