/** Before what a link opens: lets its holder through as long as it stands, and leads back to its page when it does not, or no longer. */
import { useQuery } from "@tanstack/react-query";
import { useEffect, type ReactNode } from "react";
import { Navigate } from "react-router";

import { Failed, LoadingRows } from "@/components/states";
import { ApiError } from "@/lib/api/errors";

import { heldQuery, type Held } from "./held-api";
import { useIsOver } from "./use-is-over";

/** A link can be revoked while somebody looks through it. */
const STANDS_POLL_MS = 60_000;

interface HeldGateProps {
  id: string;
  /** The link ended, or does not let in any more. */
  onEnd: () => void;
  children: (held: Held) => ReactNode;
}

export function HeldGate({ id, onEnd, children }: HeldGateProps) {
  const found = useQuery({ ...heldQuery(id), refetchInterval: STANDS_POLL_MS });
  const isOver = useIsOver(found.data?.expires_at);
  const isGone = isOver || (found.error instanceof ApiError && found.error.status === 404);
  const held = found.data;
  const isShut = isGone || (held !== undefined && (!held.unlocked || held.state !== "ready" || held.series_uid === ""));
  useEffect(() => {
    if (isShut) onEnd();
  }, [isShut, onEnd]);
  if (isShut) return <Navigate to={`/shared/${encodeURIComponent(id)}`} replace />;
  if (held !== undefined) return children(held);
  return found.isError ? <Failed error={found.error} retry={() => void found.refetch()} /> : <LoadingRows rows={3} />;
}
