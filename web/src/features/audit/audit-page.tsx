/** The audit trail: who did what, when, from where. */
import { Badge, Button, Group, Text, TextInput, Tooltip } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useMutation, useQuery } from "@tanstack/react-query";
import { IconDownload, IconHistory } from "@tabler/icons-react";
import { useState } from "react";

import { notifyFailed } from "@/components/notify";
import { PageHead } from "@/components/page-head";
import { Pager } from "@/components/pager";
import { RecordTable, type Column } from "@/components/record-table";
import { Empty, Failed, LoadingRows } from "@/components/states";
import { saveAnswer } from "@/lib/downloads";
import { time } from "@/lib/format";

import { auditQuery, csvPath, NO_FILTER, type AuditEvent, type AuditFilter } from "./audit-api";

const PAGE_SIZE = 50;

export function AuditPage() {
  const [filter, setFilter] = useState(NO_FILTER);
  const [page, setPage] = useState(1);
  // Typing in a filter waits a moment before it asks.
  const [asked] = useDebouncedValue(filter, 300);
  const list = useQuery(auditQuery(asked, PAGE_SIZE, (page - 1) * PAGE_SIZE));
  const csv = useMutation({
    mutationFn: () => saveAnswer(csvPath(asked), "audit.csv"),
    onError: (error) => notifyFailed("The export did not work", error),
  });

  function narrow(change: Partial<AuditFilter>) {
    setFilter((current) => ({ ...current, ...change }));
    setPage(1);
  }

  return (
    <>
      <PageHead
        title="Audit"
        lead="Every act, in order. Nothing here can be changed or removed."
        actions={
          <Button variant="default" leftSection={<IconDownload size={16} />} loading={csv.isPending} onClick={() => csv.mutate()}>
            Export CSV
          </Button>
        }
      />
      <Group gap="xs" mb="md" align="flex-end">
        <TextInput label="Action" placeholder="cases. for all of it" value={filter.action} onChange={(event) => narrow({ action: event.currentTarget.value })} w={{ base: "100%", xs: 170 }} />
        <TextInput label="Actor" placeholder="admin" value={filter.actor} onChange={(event) => narrow({ actor: event.currentTarget.value })} w={{ base: "100%", xs: 150 }} />
        <TextInput label="Entity" placeholder="clinical_case:id" value={filter.entity} onChange={(event) => narrow({ entity: event.currentTarget.value })} w={{ base: "100%", xs: 170 }} />
        <TextInput label="From" type="date" value={filter.from} onChange={(event) => narrow({ from: event.currentTarget.value })} />
        <TextInput label="To" type="date" value={filter.to} onChange={(event) => narrow({ to: event.currentTarget.value })} />
        {Object.values(filter).some((value) => value !== "") && (
          <Button variant="subtle" color="gray" onClick={() => narrow(NO_FILTER)}>
            Clear
          </Button>
        )}
      </Group>
      {list.isPending && <LoadingRows />}
      {list.isError && <Failed error={list.error} retry={() => void list.refetch()} />}
      {list.isSuccess && list.data.items.length === 0 && (
        <Empty title="No event fits" icon={<IconHistory size={34} stroke={1.3} />}>
          Widen the days, or clear a filter.
        </Empty>
      )}
      {list.isSuccess && list.data.items.length > 0 && (
        <>
          <RecordTable caption="Audit events" columns={COLUMNS} rows={list.data.items} rowKey={({ id }) => String(id)} stale={list.isPlaceholderData} />
          <Pager page={page} pageSize={PAGE_SIZE} total={list.data.total} onPage={setPage} />
        </>
      )}
    </>
  );
}

const COLUMNS: Column<AuditEvent>[] = [
  {
    key: "action",
    header: "Action",
    phone: "lead",
    width: "17rem",
    cell: (event) => (
      <Text component="span" ff="monospace" fz="0.8rem" fw={500}>
        {event.action}
      </Text>
    ),
  },
  {
    key: "outcome",
    header: "Outcome",
    width: "6.5rem",
    cell: (event) => <Badge color={event.outcome === "ok" ? "green" : "red"}>{event.outcome}</Badge>,
  },
  { key: "actor", header: "Actor", width: "9rem", cell: (event) => event.actor || "nobody" },
  { key: "entity", header: "Entity", cell: (event) => <Entity event={event} /> },
  { key: "ip", header: "Address", width: "9rem", cell: (event) => event.ip || "–" },
  {
    key: "time",
    header: "Time",
    width: "12.5rem",
    cell: (event) => (
      <Tooltip label={`Request ${event.requestId}`}>
        <Text component="time" dateTime={event.time} size="sm" c="dimmed" tabIndex={0}>
          {time(event.time, true)}
        </Text>
      </Tooltip>
    ),
  },
];

function Entity({ event }: { event: AuditEvent }) {
  const payload = Object.entries(event.payload ?? {}).filter(([, value]) => value !== "" && value !== null);
  return (
    <div>
      {event.entityTable !== "" && (
        <Text component="span" size="sm">
          {event.entityTable}{" "}
          {event.entityId !== "" && (
            <Text component="span" ff="monospace" size="xs" c="dimmed">
              {event.entityId}
            </Text>
          )}
        </Text>
      )}
      {payload.length > 0 && (
        <Text size="xs" c="dimmed" lineClamp={2}>
          {payload.map(([name, value]) => `${name}: ${typeof value === "string" ? value : JSON.stringify(value)}`).join(", ")}
        </Text>
      )}
    </div>
  );
}
