/** The audit trail as the API tells it. */
import { keepPreviousData, queryOptions } from "@tanstack/react-query";

import { api } from "@/lib/api";
import { withQuery } from "@/lib/api/query";
import type { Page } from "@/lib/api/types";

export interface AuditEvent {
  id: number;
  requestId: string;
  time: string;
  /** Empty: nobody was signed in. */
  actor: string;
  clinic: string | null;
  action: string;
  entityTable: string;
  entityId: string;
  ip: string;
  outcome: string;
  payload: Record<string, unknown> | null;
}

/** `from` and `to` are days as the reader's calendar has them (yyyy-mm-dd), both included. */
export interface AuditFilter {
  action: string;
  actor: string;
  entity: string;
  from: string;
  to: string;
}

export const NO_FILTER: AuditFilter = { action: "", actor: "", entity: "", from: "", to: "" };

/** The filter as the API takes it: days of the reader become moments in UTC. */
export function toQuery({ from, to, ...rest }: AuditFilter) {
  return { ...rest, from: startOf(from, 0), to: startOf(to, 1) };
}

function startOf(day: string, plusDays: number): string {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(day)) return "";
  const date = new Date(`${day}T00:00:00`);
  date.setDate(date.getDate() + plusDays);
  return date.toISOString();
}

export function auditQuery(filter: AuditFilter, limit: number, offset: number) {
  return queryOptions({
    queryKey: ["audit", filter, limit, offset],
    queryFn: ({ signal }) => api.get<Page<AuditEvent>>("/api/audit", { query: { ...toQuery(filter), limit, offset }, signal }),
    placeholderData: keepPreviousData,
    staleTime: 0,
  });
}

export function csvPath(filter: AuditFilter): string {
  return withQuery("/api/audit.csv", toQuery(filter));
}
