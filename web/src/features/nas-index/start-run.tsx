/** Starts a run over a configured source or a folder. */
import { Autocomplete, Button, Group, NumberInput, Paper, Stack, Text, Title } from "@mantine/core";
import { IconPlayerPlay } from "@tabler/icons-react";
import { useState, type SyntheticEvent } from "react";

import { notifyDone } from "@/components/notify";
import { RequestId } from "@/components/states";
import { ApiError } from "@/lib/api/errors";

import { useStartRun } from "./runs-api";
import type { Source } from "./sources-api";

export function StartRun({ sources }: { sources: Source[] }) {
  const usable = sources.filter(({ enabled }) => enabled).map(({ name }) => name);
  const [typed, setTyped] = useState<string | null>(null);
  const source = typed ?? usable[0] ?? "";
  const [limit, setLimit] = useState<number | string>("");
  const start = useStartRun();

  function submit(event: SyntheticEvent) {
    event.preventDefault();
    start.mutate(
      { source: source.trim(), limit: typeof limit === "number" ? limit : 0 },
      { onSuccess: () => notifyDone("Run started", "It goes on by itself: you can leave this page.") },
    );
  }

  return (
    <Paper component="form" onSubmit={submit} p="lg" aria-labelledby="start-run">
      <Stack>
        <Title order={2} fz="h3" id="start-run">
          Index a source
        </Title>
        <Group gap="md" align="flex-start">
          <Autocomplete
            label="Source"
            description="A configured source, or a folder or address that the server allows."
            data={usable}
            value={source}
            onChange={setTyped}
            required
            withAsterisk={false}
            spellCheck={false}
            autoCapitalize="none"
            flex="1 1 18rem"
          />
          <NumberInput
            label="Limit"
            description="Stop after so many files; empty: all."
            placeholder="All files"
            value={limit}
            onChange={setLimit}
            min={0}
            allowDecimal={false}
            allowNegative={false}
            thousandSeparator=","
            w={{ base: "100%", sm: 230 }}
          />
        </Group>
        {start.isError && (
          <div role="alert">
            <Text size="sm" c="red">
              {messageOf(start.error)}
            </Text>
            <RequestId error={start.error} />
          </div>
        )}
        <Group justify="space-between" gap="md">
          <Text size="sm" c="dimmed" maw={460}>
            Files that have not changed since the last run are not read again.
          </Text>
          <Button type="submit" loading={start.isPending} disabled={source.trim() === ""} leftSection={<IconPlayerPlay size={16} aria-hidden />}>
            Start run
          </Button>
        </Group>
      </Stack>
    </Paper>
  );
}

function messageOf(error: Error): string {
  if (error instanceof ApiError && error.status === 409) return "This source is being indexed right now. Wait for it, or cancel it.";
  return error.message;
}
