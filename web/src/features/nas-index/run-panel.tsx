/** One run: how far, how fast, what went wrong, and the way to pause or end it. */
import { Alert, Badge, Button, Group, Paper, Progress, Text, Title } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { IconAlertTriangle, IconPlayerPause, IconPlayerPlay, IconPlayerStop } from "@tabler/icons-react";
import { useEffect } from "react";

import { Confirm } from "@/components/confirm";
import { notifyFailed } from "@/components/notify";
import { Failed, LoadingRows } from "@/components/states";
import { count, duration, plural, time } from "@/lib/format";

import { statusQuery, useAskRun, useCatalogueChanged, type RunError, type RunStatus, type RunWord } from "./nas-api";
import classes from "./nas-index.module.css";
import { errorKind, pace, percent, phase, STATES } from "./run-words";

export function RunPanel({ runId }: { runId: string }) {
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
  return <Run run={run.data} askedAt={run.dataUpdatedAt} />;
}

function Run({ run, askedAt }: { run: RunStatus; askedAt: number }) {
  const state = STATES[run.state ?? "queued"];
  const done = percent(run);
  const speed = pace(run, askedAt);
  return (
    <Paper p="lg" component="section" aria-label={`Run over ${run.source ?? "a source"}`}>
      <Group justify="space-between" mb="sm" align="flex-start">
        <div className={classes.said}>
          <Group gap="sm">
            <Title order={2} fz="h3">
              {run.running ? "Indexing" : "Last run over"} {run.source}
            </Title>
            <Badge color={state.color}>{state.label}</Badge>
          </Group>
          <Text size="sm" c="dimmed" aria-live="polite">
            {run.running ? [phase(run), speed].filter(Boolean).join(" · ") : ending(run)}
          </Text>
        </div>
        <Controls run={run} />
      </Group>
      {run.running && (
        <Progress
          value={done ?? 100}
          color={run.paused ? "yellow" : undefined}
          animated={done === null && !run.paused}
          striped={done === null}
          size="lg"
          mb={6}
          aria-label="Progress of the run"
        />
      )}
      <Text size="sm" mb="md">
        {count(run.files_processed)} of {plural(run.enumerated_files, "file")}
        {run.phase === "enumerating" && run.running ? " found so far" : ""}
        {run.limit > 0 ? ` (limited to ${count(run.limit)})` : ""}
      </Text>
      <dl className={classes.figures}>
        {FIGURES.map(({ label, value, bad }) => (
          <div key={label} data-bad={bad === true && value(run) > 0 ? true : undefined}>
            <dt>{label}</dt>
            <dd>{count(value(run))}</dd>
          </div>
        ))}
      </dl>
      {run.message !== "" && (
        <Alert variant="light" mt="md" color={run.state === "failed" ? "red" : "yellow"} icon={<IconAlertTriangle size={18} />}>
          {run.message}
        </Alert>
      )}
      {run.recent_errors.length > 0 && <RecentErrors errors={run.recent_errors} total={run.errors} />}
    </Paper>
  );
}

const FIGURES: { label: string; value: (run: RunStatus) => number; bad?: boolean }[] = [
  { label: "Files found", value: (run) => run.enumerated_files },
  { label: "Processed", value: (run) => run.files_processed },
  { label: "Unchanged", value: (run) => run.unchanged },
  { label: "Series", value: (run) => run.series_count },
  { label: "Files/s", value: (run) => Math.round(run.files_per_second) },
  { label: "Errors", value: (run) => run.errors, bad: true },
];

function ending(run: RunStatus): string {
  const who = run.started_by === "" ? "" : ` by ${run.started_by}`;
  const seconds = run.started_at === null || run.finished_at === null ? null : (Date.parse(run.finished_at) - Date.parse(run.started_at)) / 1000;
  return `${time(run.started_at)}${who}${seconds === null ? "" : `, took ${duration(seconds)}`}`;
}

function Controls({ run }: { run: RunStatus }) {
  const ask = useAskRun();
  const [asking, { open, close }] = useDisclosure(false);
  const { run_id: runId, state } = run;
  if (runId === null) return null;
  const say = (word: RunWord, after?: () => void) =>
    ask.mutate({ word, runId }, { onSettled: () => after?.(), onError: (error) => notifyFailed("That was not heard", error) });
  const mayGoOn = run.paused || state === "interrupted" || state === "cancelled";
  return (
    <Group gap="xs">
      {run.running && !run.paused && (
        <Button variant="default" leftSection={<IconPlayerPause size={16} aria-hidden />} loading={ask.isPending} onClick={() => say("pause")}>
          Pause
        </Button>
      )}
      {mayGoOn && (
        <Button leftSection={<IconPlayerPlay size={16} aria-hidden />} loading={ask.isPending} onClick={() => say("resume")}>
          Resume
        </Button>
      )}
      {run.running && (
        <Button variant="default" leftSection={<IconPlayerStop size={16} aria-hidden />} onClick={open}>
          Cancel
        </Button>
      )}
      <Confirm
        opened={asking}
        title="Cancel this run?"
        action="Cancel the run"
        pending={ask.isPending}
        onClose={close}
        onConfirm={() => say("cancel", close)}
      >
        What has been read stays and can be found. The next run goes on where this one stopped.
      </Confirm>
    </Group>
  );
}

function RecentErrors({ errors, total }: { errors: RunError[]; total: number }) {
  return (
    <section>
      <Title order={3} fz="md" mt="lg" mb="xs">
        {errors.length < total ? `The last ${count(errors.length)} of ${plural(total, "error")}` : "Errors"}
      </Title>
      <ul className={classes.errors} tabIndex={0} aria-label="Recent errors" data-scroll>
        {errors.map((each, place) => (
          <li key={`${each.timestamp} ${each.file_path ?? ""} ${place}`}>
            <Group gap={8} wrap="nowrap" align="flex-start">
              <Badge color={each.error_type === "dicom" ? "gray" : "red"} flex="none">
                {errorKind(each.error_type)}
              </Badge>
              <div className={classes.said}>
                <Text size="sm">{each.message}</Text>
                {each.suggestion !== "" && (
                  <Text size="sm" c="dimmed">
                    {each.suggestion}
                  </Text>
                )}
                {each.file_path !== null && <div className={classes.path}>{each.file_path}</div>}
              </div>
            </Group>
          </li>
        ))}
      </ul>
    </section>
  );
}
