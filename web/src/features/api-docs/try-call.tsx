/** Makes a reading call from the page, as the person signed in, and shows what came back. */
import { Button, Code, Group, Stack, Text, TextInput, Title } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useState, type SyntheticEvent } from "react";

import { api } from "@/lib/api";
import { bytes } from "@/lib/format";

import { addressOf } from "./address";
import type { Operation } from "./openapi";

/** More than this of an answer is of no use on a page. */
const MOST_SHOWN = 20_000;

export function TryCall({ operation }: { operation: Operation }) {
  const [values, setValues] = useState<Record<string, string>>({});
  const asked = operation.parameters.filter((parameter) => parameter.in === "path" || parameter.in === "query");
  const call = useMutation({ mutationFn: () => answerOf(addressOf(operation.path, asked, values)) });

  function submit(event: SyntheticEvent) {
    event.preventDefault();
    call.mutate();
  }

  return (
    <form onSubmit={submit}>
      <Title order={3} fz="sm" ff="text" fw={600} mb="xs">
        Try it
      </Title>
      <Group align="flex-end" gap="xs">
        {asked.map((parameter) => (
          <TextInput
            key={parameter.name}
            size="xs"
            label={parameter.name}
            required={parameter.required ?? false}
            value={values[parameter.name] ?? ""}
            onChange={(event) => {
              const { value } = event.currentTarget;
              setValues((current) => ({ ...current, [parameter.name]: value }));
            }}
          />
        ))}
        <Button type="submit" size="xs" variant="default" loading={call.isPending}>
          Send
        </Button>
      </Group>
      {call.isError && (
        <Text size="sm" c="red" mt="xs" role="alert">
          {call.error.message}
        </Text>
      )}
      {call.isSuccess && (
        <Stack gap={4} mt="sm">
          <Text size="xs" c="dimmed">
            {call.data.status} · {call.data.type} · {call.data.milliseconds} ms
          </Text>
          <Code block mah={360} style={{ overflow: "auto" }} tabIndex={0}>
            {call.data.text}
          </Code>
        </Stack>
      )}
    </form>
  );
}

async function answerOf(address: string) {
  const start = performance.now();
  const response = await api.answer("GET", address);
  const type = response.headers.get("Content-Type") ?? "no content type";
  const milliseconds = Math.round(performance.now() - start);
  return { status: response.status, type, milliseconds, text: await textOf(response, type) };
}

async function textOf(response: Response, type: string): Promise<string> {
  if (!/json|text|xml|csv/.test(type)) {
    const length = response.headers.get("Content-Length");
    await response.body?.cancel();
    return length === null ? "(a file)" : `(a file of ${bytes(Number(length))})`;
  }
  const text = await response.text();
  if (!type.includes("json")) return text.slice(0, MOST_SHOWN);
  try {
    return JSON.stringify(JSON.parse(text), null, 2).slice(0, MOST_SHOWN);
  } catch {
    return text.slice(0, MOST_SHOWN);
  }
}
