/** Pauses, resumes and ends a run. */
import { Button, Group } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconPlayerPause, IconPlayerPlay, IconPlayerStop } from "@tabler/icons-react";

import { Confirm } from "@/components/confirm";
import { notifyFailed } from "@/components/notify";

import { mayGoOn } from "./run-words";
import { useAskRun, type RunStatus, type RunWord } from "./runs-api";

export function RunControls({ run }: { run: RunStatus }) {
  const ask = useAskRun();
  const [asking, { open, close }] = useDisclosure(false);
  const { run_id: runId } = run;
  if (runId === null) return null;
  const say = (word: RunWord, after?: () => void) =>
    ask.mutate({ word, runId }, { onSettled: () => after?.(), onError: (error) => notifyFailed("That was not heard", error) });
  const about = `the run over ${run.source ?? "this source"}`;
  return (
    <Group gap="xs">
      {run.running && !run.paused && (
        <Button
          variant="default"
          leftSection={<IconPlayerPause size={16} aria-hidden />}
          loading={ask.isPending && ask.variables.word === "pause"}
          onClick={() => say("pause")}
          aria-label={`Pause ${about}`}
        >
          Pause
        </Button>
      )}
      {mayGoOn(run) && (
        <Button
          leftSection={<IconPlayerPlay size={16} aria-hidden />}
          loading={ask.isPending && ask.variables.word === "resume"}
          onClick={() => say("resume")}
          aria-label={`Resume ${about}`}
        >
          Resume
        </Button>
      )}
      {run.running && (
        <Button variant="default" leftSection={<IconPlayerStop size={16} aria-hidden />} onClick={open} aria-label={`Cancel ${about}`}>
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
