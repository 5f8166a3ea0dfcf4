/** Starts an import. */
import { Button, Group, Paper, Stack, Switch, TextInput, Title } from "@mantine/core";
import { IconPlayerPlay } from "@tabler/icons-react";
import { useState, type SyntheticEvent } from "react";

import { notifyDone } from "@/components/notify";
import { ApiError } from "@/lib/api/errors";

import { useStartImport } from "./import-api";
import { acceptedSources } from "./run-words";

export function StartForm() {
  const [source, setSource] = useState("");
  const [deidentify, setDeidentify] = useState(false);
  const [dryRun, setDryRun] = useState(false);
  const start = useStartImport();

  function submit(event: SyntheticEvent) {
    event.preventDefault();
    const named = source.trim();
    start.mutate(named === "" ? { deidentify, dryRun } : { source: named, deidentify, dryRun }, {
      onSuccess: () => notifyDone(dryRun ? "Dry run started" : "Import started", "It goes on by itself: you can leave this page."),
    });
  }

  return (
    <Paper component="form" onSubmit={submit} p="lg" aria-labelledby="start-import">
      <Stack>
        <Title order={2} fz="h3" id="start-import">
          Start an import
        </Title>
        <TextInput
          label="Source"
          description="A folder on the server, sftp://… or smb://…, laid out as MRI/0042/… Left empty: the source in the server's settings."
          placeholder="The configured source"
          value={source}
          onChange={(event) => setSource(event.currentTarget.value)}
          error={start.isError ? messageOf(start.error) : undefined}
          spellCheck={false}
          autoCapitalize="none"
        />
        <Group justify="space-between" gap="md">
          <Group gap="xl">
            <Switch
              label="De-identify"
              description="Take names, dates and numbers of patients out of the headers"
              checked={deidentify}
              onChange={(event) => setDeidentify(event.currentTarget.checked)}
            />
            <Switch
              label="Dry run"
              description="Only list what would happen"
              checked={dryRun}
              onChange={(event) => setDryRun(event.currentTarget.checked)}
            />
          </Group>
          <Button type="submit" loading={start.isPending} leftSection={<IconPlayerPlay size={16} />}>
            {dryRun ? "Start dry run" : "Start import"}
          </Button>
        </Group>
      </Stack>
    </Paper>
  );
}

function messageOf(error: Error): string {
  if (error instanceof ApiError && error.code === "import_running") return "This source is being imported right now. Wait for it, or cancel it.";
  const accepted = error instanceof ApiError ? acceptedSources(error.detail) : [];
  const where = accepted.length === 0 ? "" : ` Accepted here: ${accepted.join(", ")}.`;
  const request = error instanceof ApiError && error.requestId !== null ? ` (request ${error.requestId})` : "";
  return error.message + where + request;
}
