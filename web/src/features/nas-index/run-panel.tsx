/** One run: how far, how fast, what went wrong, and the way to pause or end it. */
import { Alert, Anchor, Badge, Group, Paper, Progress, Text, Title, VisuallyHidden } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { IconAlertTriangle, IconCloudOff } from "@tabler/icons-react";
import { useEffect } from "react";
import { Link } from "react-router";

import { Figures, type Figure } from "@/components/figures";
import { Failed, LoadingRows } from "@/components/states";
import { plural } from "@/lib/format";
import { useCan } from "@/lib/session/use-session";

import { AcceptLoss } from "./accept-loss";
import { useCatalogueChanged } from "./nas-api";
import classes from "./nas-index.module.css";
import { RunControls } from "./run-controls";
import { RunErrorLine } from "./run-error";
import { announced, ending, filesDone, hasLost, isWaiting, pace, percent, phase, stateOf } from "./run-words";
import { statusQuery, type RunStatus } from "./runs-api";
import { useSiteTime } from "./use-site-time";

/** Errors that the panel shows itself; the run's own page has them all. */
const LAST_ERRORS = 3;

/** `alone`: on the run's own page, where title and errors stand beside it. */
export function RunPanel({ runId, alone = false }: { runId: string; alone?: boolean }) {
  const run = useQuery(statusQuery(runId));
  const changed = useCatalogueChanged();
  const ended = run.data?.running === false;
  useEffect(() => {
    if (ended) changed();
    // Once per end of a run, not on every new function.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [ended]);
  if (run.isPending) return <LoadingRows rows={3} />;
  if (run.isError) return <Failed error={run.error} retry={() => void run.refetch()} />;
  return <Run run={run.data} askedAt={run.dataUpdatedAt} alone={alone} />;
}

function Run({ run, askedAt, alone }: { run: RunStatus; askedAt: number; alone: boolean }) {
  const mayRun = useCan("index.run");
  const state = stateOf(run);
  const told = useSiteTime();
  return (
    <Paper p="lg" component="section" aria-label={`Run over ${run.source ?? "a source"}`}>
      <VisuallyHidden role="status">{announced(run, askedAt)}</VisuallyHidden>
      <Group justify="space-between" mb="sm" align="flex-start">
        <div className={classes.said}>
          <Group gap="sm">
            <Title order={2} fz="h3">
              {run.running ? "Indexing" : alone ? "Run over" : "Last run over"} <bdi>{run.source}</bdi>
            </Title>
            <Badge color={state.color}>{state.label}</Badge>
          </Group>
          <Text size="sm" c="dimmed">
            {run.running ? [phase(run), pace(run, askedAt)].filter(Boolean).join(" · ") : ending(run, told)}
          </Text>
        </div>
        {mayRun && <RunControls run={run} />}
      </Group>
      {run.running && <Bar run={run} askedAt={askedAt} />}
      <Text size="sm" mb="md">
        {filesDone(run)}
        {run.path !== "" && ` below ${run.path}`}
      </Text>
      <Figures figures={figuresOf(run)} />
      {isWaiting(run) && <Away run={run} />}
      {hasLost(run) && <AcceptLoss run={run} />}
      {run.message !== "" && !isWaiting(run) && !hasLost(run) && (
        <Alert variant="light" mt="md" color={run.state === "failed" || run.state === "offline" ? "red" : "yellow"} icon={<IconAlertTriangle size={18} />}>
          {run.message}
        </Alert>
      )}
      {!alone && <LastErrors run={run} />}
    </Paper>
  );
}

/** Striped as long as nobody knows how many files there will be; amber while nothing moves. */
function Bar({ run, askedAt }: { run: RunStatus; askedAt: number }) {
  const done = percent(run, askedAt);
  const rests = run.paused || isWaiting(run);
  return (
    <Progress.Root size="lg" mb={6}>
      <Progress.Section
        value={done ?? 100}
        color={rests ? "yellow.5" : undefined}
        animated={done === null && !rests}
        striped={done === null}
        // Mantine would say all digits of the share, and 100 % while nobody knows it.
        withAria={false}
        role="progressbar"
        aria-label="Progress of the run"
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={done === null ? undefined : Math.round(done)}
        aria-valuetext={done === null ? phase(run) : `${Math.round(done)} per cent`}
      />
    </Progress.Root>
  );
}

function Away({ run }: { run: RunStatus }) {
  return (
    <Alert variant="light" mt="md" color="yellow" icon={<IconCloudOff size={18} />} title="The source does not answer">
      {run.message !== "" && <Text size="sm">{run.message}</Text>}
      <Text size="sm">The run goes on by itself as soon as the source is back. What was read stays, and nothing is taken out of the index.</Text>
    </Alert>
  );
}

function figuresOf(run: RunStatus): Figure[] {
  const moves: Figure[] = run.running
    ? [{ label: "Files/s", value: run.paused || isWaiting(run) ? 0 : Math.round(run.files_per_second) }]
    : [
        { label: "Moved", value: run.moved },
        { label: "Gone", value: run.gone },
      ];
  return [
    { label: "New", value: run.added },
    { label: "Changed", value: run.changed },
    { label: "Unchanged", value: run.unchanged },
    ...moves,
    { label: "Series", value: run.series_count },
    { label: "Errors", value: run.errors, bad: true },
  ];
}

function LastErrors({ run }: { run: RunStatus }) {
  // What is wrong with the source as a whole stands in a box of its own.
  const errors = run.recent_errors.filter(({ file_path: path }) => path !== null || !(isWaiting(run) || hasLost(run)));
  if (errors.length === 0 || run.run_id === null) return null;
  return (
    <section>
      <Group justify="space-between" mt="lg" mb="xs">
        <Title order={3} fz="md">
          Last errors
        </Title>
        <Anchor component={Link} to={`/nas/runs/${run.run_id}`} size="sm">
          {run.errors > 1 ? `See all ${plural(run.errors, "error")}` : "See it with the run"}
        </Anchor>
      </Group>
      <ul className={classes.errors} aria-label="Recent errors">
        {errors.slice(0, LAST_ERRORS).map((each, place) => (
          <li key={`${each.timestamp} ${each.file_path ?? ""} ${place}`}>
            <RunErrorLine error={each} />
          </li>
        ))}
      </ul>
    </section>
  );
}
