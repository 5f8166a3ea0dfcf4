/** What a connection test found: the class of the answer, how fast, what to do. */
import { Badge, Group, Text } from "@mantine/core";

import { RequestId } from "@/components/states";

import { errorKind, measured } from "./run-words";
import type { Tested } from "./sources-api";
import classes from "./nas-index.module.css";

export function TestedAnswer({ tested }: { tested: Tested }) {
  return (
    <div className={classes.said}>
      <Group gap={8} mt={8}>
        <Badge color={tested.ok ? "green" : "red"}>{tested.ok ? "Works" : errorKind(tested.error_type)}</Badge>
        {measured(tested) !== "" && <Text size="sm">{measured(tested)}</Text>}
      </Group>
      {tested.message !== "" && (
        <Text size="sm" mt={4}>
          {tested.message}
        </Text>
      )}
      {tested.suggestion !== "" && (
        <Text size="sm" c="dimmed" mt={2}>
          {tested.suggestion}
        </Text>
      )}
    </div>
  );
}

export function TestRefused({ error }: { error: Error }) {
  return (
    <>
      <Text size="sm" c="red" mt={6}>
        {error.message}
      </Text>
      <RequestId error={error} />
    </>
  );
}
