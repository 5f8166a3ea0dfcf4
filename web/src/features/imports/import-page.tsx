/** One import: its figures, and file by file what became of them. */
import { Alert, Badge, Chip, Group, Paper, Stack, Text, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { IconAlertTriangle, IconListCheck } from "@tabler/icons-react";
import { useEffect, useState } from "react";
import { useParams } from "react-router";

import { BackLink } from "@/components/back-link";
import { PageHead } from "@/components/page-head";
import { Pager } from "@/components/pager";
import { RecordTable, type Column } from "@/components/record-table";
import { Empty, Failed, LoadingRows } from "@/components/states";
import { count, time } from "@/lib/format";

import { isActive, itemsQuery, runQuery, useCasesChanged, type ImportItem, type ImportRun } from "./import-api";
import { Outcomes } from "./outcomes";
import { RunProgress } from "./run-progress";
import { OUTCOMES, sourceName, STATES, took } from "./run-words";

const PAGE_SIZE = 50;

export function ImportPage() {
  const { runId = "" } = useParams();
  const found = useQuery(runQuery(runId));
  const ended = found.data !== undefined && !isActive(found.data);
  const casesChanged = useCasesChanged();
  useEffect(() => {
    if (ended) casesChanged();
    // Once per end of a run, not on every new function.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [ended]);
  return (
    <>
      <BackLink to="/admin/imports">All imports</BackLink>
      {found.isPending && <LoadingRows rows={5} />}
      {found.isError && <Failed error={found.error} retry={() => void found.refetch()} />}
      {found.isSuccess && <RunReport run={found.data} />}
    </>
  );
}

function RunReport({ run }: { run: ImportRun }) {
  const state = STATES[run.state];
  return (
    <>
      <PageHead title={run.dryRun ? "Dry run" : "Import"} lead={sourceName(run.source)} actions={<Badge size="lg" color={state.color}>{state.label}</Badge>} />
      <Stack gap="xl">
        {isActive(run) ? (
          <RunProgress run={run} />
        ) : (
          <Paper p="lg">
            <Text size="sm" c="dimmed" mb="md">
              {time(run.startedAt)}
              {run.startedBy === null ? "" : ` by ${run.startedBy}`}
              {took(run) === "" ? "" : `, took ${took(run)}`}
            </Text>
            <Outcomes run={run} />
          </Paper>
        )}
        {run.message !== null && run.message !== "" && (
          <Alert variant="light" color={run.state === "failed" ? "red" : "yellow"} icon={<IconAlertTriangle size={18} />}>
            {run.message}
          </Alert>
        )}
        <Items run={run} />
      </Stack>
    </>
  );
}

function Items({ run }: { run: ImportRun }) {
  const [outcome, setOutcome] = useState(run.failed > 0 ? "failed" : "");
  const [page, setPage] = useState(1);
  const items = useQuery(itemsQuery(run.runId, outcome, PAGE_SIZE, (page - 1) * PAGE_SIZE));

  function choose(value: string) {
    setOutcome(value);
    setPage(1);
  }

  return (
    <section>
      <Title order={2} mb="sm">
        File by file
      </Title>
      <Chip.Group value={outcome} onChange={choose}>
        <Group gap="xs" mb="md">
          <Chip value="" variant="light">All</Chip>
          {OUTCOMES.map(({ outcome: value, key, label }) => (
            <Chip key={value} value={value} variant="light">
              {key === null ? label : `${label} (${count(run[key])})`}
            </Chip>
          ))}
        </Group>
      </Chip.Group>
      {items.isPending && <LoadingRows rows={6} height={40} />}
      {items.isError && <Failed error={items.error} retry={() => void items.refetch()} />}
      {items.isSuccess && items.data.items.length === 0 && (
        <Empty title="No file here" icon={<IconListCheck size={34} stroke={1.3} />}>
          No file of this import ended that way. Files that had not changed are counted, not listed. Lists are kept for 90 days.
        </Empty>
      )}
      {items.isSuccess && items.data.items.length > 0 && (
        <>
          <RecordTable caption="Files" columns={COLUMNS} rows={items.data.items} rowKey={({ path, outcome: end }) => `${path} ${end}`} stale={items.isPlaceholderData} />
          <Pager page={page} pageSize={PAGE_SIZE} total={items.data.total} onPage={setPage} />
        </>
      )}
    </section>
  );
}

const COLUMNS: Column<ImportItem>[] = [
  {
    key: "path",
    header: "File",
    phone: "lead",
    cell: (item) => (
      <Text component="span" ff="monospace" size="sm">
        {item.path}
      </Text>
    ),
  },
  {
    key: "outcome",
    header: "Outcome",
    width: "10rem",
    cell: (item) => OUTCOMES.find(({ outcome }) => outcome === item.outcome)?.label ?? item.outcome,
  },
  { key: "reason", header: "Reason", width: "40%", cell: (item) => item.reason ?? "" },
];
