/** The runs that were, of one source or of all; filter and page stand in the address. */
import { Anchor, Badge, Group, Select, Text, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { IconHistory } from "@tabler/icons-react";
import { Link, useSearchParams } from "react-router";

import { Pager } from "@/components/pager";
import { RecordTable, type Column } from "@/components/record-table";
import { Empty, Failed, LoadingRows } from "@/components/states";
import { count } from "@/lib/format";

import { stateOf, took } from "./run-words";
import { runsQuery, type RunStatus } from "./runs-api";
import { SiteTime } from "./site-time";
import classes from "./nas-index.module.css";

const PAGE_SIZE = 10;

export function RunHistory({ sources }: { sources: string[] }) {
  const [params, setParams] = useSearchParams();
  const source = params.get("runs") ?? "";
  const page = Math.max(1, Math.floor(Number(params.get("page") ?? "1")) || 1);
  const runs = useQuery(runsQuery(source, PAGE_SIZE, (page - 1) * PAGE_SIZE));

  function go(change: { source?: string; page?: number }) {
    const next = new URLSearchParams();
    const wanted = change.source ?? source;
    if (wanted !== "") next.set("runs", wanted);
    if ((change.page ?? 1) > 1) next.set("page", String(change.page));
    setParams(next, { preventScrollReset: true });
  }

  return (
    <section>
      <Group justify="space-between" align="flex-end" mb="sm">
        <Title order={2}>Runs</Title>
        {sources.length > 1 && (
          <Select
            aria-label="Show the runs of"
            placeholder="Runs of all sources"
            data={source === "" || sources.includes(source) ? sources : [source, ...sources]}
            value={source === "" ? null : source}
            onChange={(value) => go({ source: value ?? "" })}
            clearable
            clearButtonProps={{ "aria-label": "Runs of all sources" }}
            w={{ base: "100%", sm: 260 }}
          />
        )}
      </Group>
      {runs.isPending && <LoadingRows rows={4} />}
      {runs.isError && <Failed error={runs.error} retry={() => void runs.refetch()} />}
      {runs.isSuccess && runs.data.items.length === 0 && (
        <Empty title="No run yet" icon={<IconHistory size={34} stroke={1.3} />}>
          Start one above: its series can be found as soon as their first file is read.
        </Empty>
      )}
      {runs.isSuccess && runs.data.items.length > 0 && (
        <>
          <RecordTable caption="Runs" columns={COLUMNS} rows={runs.data.items} rowKey={(run) => run.run_id ?? ""} stale={runs.isPlaceholderData} />
          <Pager page={page} pageSize={PAGE_SIZE} total={runs.data.total} onPage={(next) => go({ page: next })} />
        </>
      )}
    </section>
  );
}

const COLUMNS: Column<RunStatus>[] = [
  {
    key: "started",
    header: "Started",
    phone: "lead",
    width: "13rem",
    cell: (run) => (
      <>
        <Anchor component={Link} to={`/nas/runs/${run.run_id ?? ""}`} c="inherit" fw={550}>
          <SiteTime of={run.started_at} />
        </Anchor>
        {run.started_by !== "" && (
          <Text component="div" size="sm" c="dimmed">
            by {run.started_by}
          </Text>
        )}
      </>
    ),
  },
  {
    key: "source",
    header: "Source",
    cell: (run) => (
      <span className={classes.said}>
        <bdi>{run.source}</bdi>
        {run.path !== "" && <span className={classes.path}> /{run.path}</span>}
      </span>
    ),
  },
  {
    key: "state",
    header: "State",
    width: "8.5rem",
    cell: (run) => <Badge color={stateOf(run).color}>{stateOf(run).label}</Badge>,
  },
  { key: "files", header: "Files", width: "5.5rem", align: "right", cell: (run) => count(run.files_processed) },
  { key: "added", header: "New", width: "5rem", align: "right", cell: (run) => count(run.added) },
  { key: "changed", header: "Changed", width: "5.5rem", align: "right", phone: "hide", cell: (run) => count(run.changed) },
  { key: "gone", header: "Gone", width: "4.5rem", align: "right", phone: "hide", cell: (run) => count(run.gone) },
  {
    key: "errors",
    header: "Errors",
    width: "5rem",
    align: "right",
    cell: (run) => (
      <Text component="span" inherit c={run.errors > 0 ? "red" : undefined}>
        {count(run.errors)}
      </Text>
    ),
  },
  { key: "took", header: "Took", width: "6.5rem", align: "right", cell: (run) => took(run) || "–" },
];
