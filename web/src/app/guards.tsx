/** What stands between an address and its page. The server decides again on every request; this only spares a dead end. */
import { Center, Loader } from "@mantine/core";
import type { ReactNode } from "react";
import { Navigate, useLocation } from "react-router";

import { Failed } from "@/components/states";
import { ApiError } from "@/lib/api/errors";
import { session } from "@/lib/session/browser";
import { useCan, useSession } from "@/lib/session/use-session";

/** `early`: the page needs to know no more of a person than that there is one, which is known with their token. */
export function RequireSession({ early = false, children }: { early?: boolean; children: ReactNode }) {
  const state = useSession();
  const { pathname, search } = useLocation();
  if (state.status === "signedIn" || (early && state.status === "restoring" && session.subject() !== null)) return children;
  if (state.status === "unreachable") return <Failed error={state.error} retry={() => void session.restore()} />;
  if (state.status === "restoring") {
    return (
      <Center mih="60dvh" role="status" aria-label="Opening your session" className="rr-late">
        <Loader size="sm" />
      </Center>
    );
  }
  const here = pathname + search;
  // Who signed out on purpose starts afresh; who was thrown out comes back to where they were.
  const back = state.reason === "left" || here === "/" || here === "/cases" ? "" : `?next=${encodeURIComponent(here)}`;
  return <Navigate to={`/sign-in${back}`} replace />;
}

export function RequireCapability({ capability, children }: { capability: string; children: ReactNode }) {
  const allowed = useCan(capability);
  if (allowed) return children;
  return (
    <Failed
      error={new ApiError(403, "forbidden", "Your account may not open this page. Ask an administrator if you need it.")}
    />
  );
}
