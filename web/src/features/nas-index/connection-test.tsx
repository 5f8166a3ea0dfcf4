/** Tries whether a source answers, and says what is wrong and what to do when it does not. */
import { Badge, Button, Group, Text } from "@mantine/core";
import { IconPlugConnected } from "@tabler/icons-react";

import { RequestId } from "@/components/states";

import { errorKind, measured } from "./run-words";
import { useTestSource, type Tested } from "./sources-api";
import classes from "./nas-index.module.css";

export function ConnectionTest({ name }: { name: string }) {
  const test = useTestSource();
  return (
    <div>
      <Button
        size="xs"
        variant="default"
        leftSection={<IconPlugConnected size={15} aria-hidden />}
        loading={test.isPending}
        onClick={() => test.mutate({ source: name })}
        aria-label={`Test the connection to ${name}`}
      >
        Test
      </Button>
      <div role="status">
        {test.isSuccess && <Found tested={test.data} />}
        {test.isError && (
          <>
            <Text size="sm" c="red" mt={6}>
              {test.error.message}
            </Text>
            <RequestId error={test.error} />
          </>
        )}
      </div>
    </div>
  );
}

function Found({ tested }: { tested: Tested }) {
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
