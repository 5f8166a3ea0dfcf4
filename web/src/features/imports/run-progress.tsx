/** A run in progress: how far, how fast, and the way to stop it. */
import { Button, Group, Paper, Progress, Text, Title } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconPlayerStop } from "@tabler/icons-react";

import { Confirm } from "@/components/confirm";
import { notifyFailed } from "@/components/notify";
import { bytes, count } from "@/lib/format";

import { useCancelImport, type ImportRun } from "./import-api";
import { Outcomes } from "./outcomes";
import { percent, sourceName, speed } from "./run-words";

export function RunProgress({ run }: { run: ImportRun }) {
  const cancel = useCancelImport();
  const [asking, { open, close }] = useDisclosure(false);
  const done = percent(run);
  return (
    <Paper p="lg" component="section" aria-label={`Import of ${sourceName(run.source)}`}>
      <Group justify="space-between" mb="sm" wrap="nowrap" align="flex-start">
        <div>
          <Title order={2} fz="h3">
            {run.dryRun ? "Dry run of " : "Importing "}
            {sourceName(run.source)}
          </Title>
          <Text size="sm" c="dimmed" aria-live="polite">
            {run.state === "queued" ? "Waiting to start" : (run.phase ?? "Running")}
            {speed(run) !== "" && ` · ${speed(run)}`}
          </Text>
        </div>
        <Button variant="default" leftSection={<IconPlayerStop size={16} />} onClick={open} flex="none">
          Cancel
        </Button>
      </Group>
      <Progress value={done ?? 100} animated={done === null} striped={done === null} size="lg" aria-label="Progress of the import" />
      <Group justify="space-between" mt={6} mb="md">
        <Text size="sm">
          {count(run.filesDone)} of {count(run.filesSeen)} files
        </Text>
        <Text size="sm" c="dimmed">
          {bytes(run.bytesDone)}
        </Text>
      </Group>
      <Outcomes run={run} />
      <Confirm
        opened={asking}
        title="Cancel this import?"
        action="Cancel the import"
        pending={cancel.isPending}
        onClose={close}
        onConfirm={() =>
          cancel.mutate(run.runId, { onSuccess: close, onError: (error) => notifyFailed("The import goes on", error) })
        }
      >
        What has been imported stays. The next import goes on where this one stopped.
      </Confirm>
    </Paper>
  );
}
