/** Imports: start one, watch it, look back at earlier ones. */
import { Anchor, Badge, Group, Stack, Text, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { IconFolderDown } from "@tabler/icons-react";
import { useState } from "react";
import { Link } from "react-router";

import { PageHead } from "@/components/page-head";
import { Pager } from "@/components/pager";
import { RecordTable, type Column } from "@/components/record-table";
import { Empty, Failed, LoadingRows } from "@/components/states";
import { count, time } from "@/lib/format";

import { isActive, runsQuery, type ImportRun } from "./import-api";
import { RunProgress } from "./run-progress";
import { sourceName, STATES, took } from "./run-words";
import { StartForm } from "./start-form";

const PAGE_SIZE = 20;

export function ImportsPage() {
  const [page, setPage] = useState(1);
  const runs = useQuery(runsQuery(PAGE_SIZE, (page - 1) * PAGE_SIZE));
  const active = runs.data?.items.filter(isActive) ?? [];
  return (
    <>
      <PageHead title="Imports" lead="Bring teaching cases in from the NAS or an SFTP server. Files that are already here are not sent again." />
      <Stack gap="xl">
        {active.map((run) => (
          <RunProgress key={run.runId} run={run} />
        ))}
        <StartForm />
        <section>
          <Title order={2} mb="sm">
            Earlier imports
          </Title>
          {runs.isPending && <LoadingRows rows={4} />}
          {runs.isError && <Failed error={runs.error} retry={() => void runs.refetch()} />}
          {runs.isSuccess && runs.data.items.length === 0 && (
            <Empty title="Nothing imported yet" icon={<IconFolderDown size={34} stroke={1.3} />}>
              Start with a dry run: it lists what would be imported and changes nothing.
            </Empty>
          )}
          {runs.isSuccess && runs.data.items.length > 0 && (
            <>
              <RecordTable caption="Imports" columns={COLUMNS} rows={runs.data.items} rowKey={({ runId }) => runId} stale={runs.isPlaceholderData} />
              <Pager page={page} pageSize={PAGE_SIZE} total={runs.data.total} onPage={setPage} />
            </>
          )}
        </section>
      </Stack>
    </>
  );
}

const COLUMNS: Column<ImportRun>[] = [
  {
    key: "source",
    header: "Source",
    phone: "lead",
    cell: (run) => (
      <>
        <Anchor component={Link} to={`/admin/imports/${run.runId}`} c="inherit" fw={550}>
          {sourceName(run.source)}
        </Anchor>
        <Group gap={6} mt={2}>
          {run.dryRun && <Badge size="xs" color="gray">Dry run</Badge>}
          {run.deidentify && <Badge size="xs">De-identified</Badge>}
        </Group>
      </>
    ),
  },
  {
    key: "state",
    header: "State",
    width: "7.5rem",
    cell: (run) => <Badge color={STATES[run.state].color}>{STATES[run.state].label}</Badge>,
  },
  { key: "added", header: "Added", width: "5.5rem", align: "right", cell: (run) => count(run.added) },
  {
    key: "failed",
    header: "Failed",
    width: "5.5rem",
    align: "right",
    cell: (run) => (
      <Text component="span" inherit c={run.failed > 0 ? "red" : undefined}>
        {count(run.failed)}
      </Text>
    ),
  },
  {
    key: "started",
    header: "Started",
    width: "14rem",
    cell: (run) => (
      <Text component="span" size="sm" c="dimmed">
        {time(run.startedAt)}
        {run.startedBy === null ? "" : ` by ${run.startedBy}`}
      </Text>
    ),
  },
  { key: "took", header: "Took", width: "7rem", align: "right", phone: "hide", cell: took },
];
