/** Sources and runs: start, watch and stop indexing, test connections, read advice. */
import { Anchor, Badge, Group, Paper, Stack, Text, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { IconArrowLeft, IconBulb, IconServerOff } from "@tabler/icons-react";
import { Link } from "react-router";

import { PageHead } from "@/components/page-head";
import { RecordTable, type Column } from "@/components/record-table";
import { Empty, Failed, LoadingRows } from "@/components/states";
import { count, time } from "@/lib/format";

import { OfflineBadge } from "./badges";
import { ConnectionTest } from "./connection-test";
import classes from "./nas-index.module.css";
import { RunPanel } from "./run-panel";
import { STATES } from "./run-words";
import { sourcesQuery, suggestionsQuery, type Source } from "./sources-api";
import { StartRun } from "./start-run";

export function NasSourcesPage() {
  const sources = useQuery(sourcesQuery);
  const items = sources.data?.items ?? [];
  const shown = runsToShow(items);
  return (
    <>
      <Anchor component={Link} to="/nas" size="sm" className={classes.back}>
        <IconArrowLeft size={16} aria-hidden /> NAS index
      </Anchor>
      <PageHead title="Sources and runs" lead="Text and paths are read from the NAS, never pixels, and nothing is ever written to it." />
      {sources.isPending && <LoadingRows rows={5} />}
      {sources.isError && <Failed error={sources.error} retry={() => void sources.refetch()} />}
      {sources.isSuccess && (
        <Stack gap="xl">
          {shown.map((runId) => (
            <RunPanel key={runId} runId={runId} />
          ))}
          <StartRun sources={items} />
          <section>
            <Title order={2} mb="sm">
              Sources
            </Title>
            {items.length === 0 ? (
              <Empty title="No source yet" icon={<IconServerOff size={34} stroke={1.3} />}>
                Name one in the server's settings (NAS_CONFIG), or index a folder above.
              </Empty>
            ) : (
              <RecordTable caption="Sources" columns={COLUMNS} rows={items} rowKey={({ name }) => name} />
            )}
          </section>
          <Suggestions />
        </Stack>
      )}
    </>
  );
}

/** Every run under way; when none is, the one that ended last. */
function runsToShow(sources: Source[]): string[] {
  const runs = sources.flatMap(({ last_run }) => (last_run?.run_id ? [last_run] : []));
  const active = runs.filter(({ running }) => running);
  const newest = [...runs].sort((one, other) => (other.started_at ?? "").localeCompare(one.started_at ?? "")).slice(0, 1);
  return (active.length > 0 ? active : newest).flatMap(({ run_id }) => (run_id === null ? [] : [run_id]));
}

const COLUMNS: Column<Source>[] = [
  {
    key: "name",
    header: "Source",
    phone: "lead",
    cell: (source) => (
      <>
        <Group gap={8}>
          <Text component="span" fw={550} className={classes.said}>
            {source.name}
          </Text>
          {!source.online && <OfflineBadge reason={source.offline_reason} />}
          {!source.enabled && <Badge color="gray">Switched off</Badge>}
        </Group>
        <Text component="div" c="dimmed" className={classes.path}>
          {source.location}
        </Text>
      </>
    ),
  },
  {
    key: "run",
    header: "Last run",
    width: "12rem",
    cell: ({ last_run: run }) =>
      run?.state == null ? (
        "Never"
      ) : (
        <Group gap={8}>
          <Badge color={STATES[run.state].color}>{STATES[run.state].label}</Badge>
          <Text component="span" size="sm" c="dimmed">
            {time(run.started_at)}
          </Text>
        </Group>
      ),
  },
  { key: "series", header: "Series", width: "5.5rem", align: "right", cell: ({ series }) => count(series) },
  { key: "files", header: "Files", width: "5.5rem", align: "right", cell: ({ files }) => count(files) },
  { key: "test", header: "Connection", width: "34%", cell: (source) => <ConnectionTest name={source.name} /> },
];

function Suggestions() {
  const advice = useQuery(suggestionsQuery);
  if (advice.isPending) return <LoadingRows rows={2} />;
  if (advice.isError) return <Failed error={advice.error} retry={() => void advice.refetch()} />;
  if (advice.data.suggestions.length === 0) return null;
  return (
    <section>
      <Title order={2} mb="sm">
        Suggestions
      </Title>
      <ul className={classes.errors}>
        {advice.data.suggestions.map((each) => (
          <li key={`${each.source ?? ""} ${each.title}`}>
            <Paper p="md">
              <Group gap="sm" wrap="nowrap" align="flex-start">
                <Text component="span" c="petrol" aria-hidden>
                  <IconBulb size={20} stroke={1.5} />
                </Text>
                <div className={classes.said}>
                  <Text fw={550}>
                    {each.title}
                    {each.source ? ` (${each.source})` : ""}
                  </Text>
                  <Text size="sm" c="dimmed">
                    {each.detail}
                  </Text>
                  {each.setting && (
                    <Text className={classes.path} mt={4}>
                      {each.setting}
                      {each.value === null || each.value === undefined ? "" : ` = ${each.value}`}
                    </Text>
                  )}
                </div>
              </Group>
            </Paper>
          </li>
        ))}
      </ul>
    </section>
  );
}
