/** One error of a run: its kind, what happened, what to do, where. */
import { Badge, Group, Text } from "@mantine/core";

import { errorKind } from "./run-words";
import type { RunError } from "./runs-api";
import classes from "./nas-index.module.css";

/** What is no fault of the NAS is told in grey: files that are no images. */
export function ErrorKind({ type }: { type: string }) {
  return (
    <Badge color={type === "dicom" ? "gray" : "red"} flex="none">
      {errorKind(type)}
    </Badge>
  );
}

export function RunErrorLine({ error }: { error: RunError }) {
  return (
    <Group gap={8} wrap="nowrap" align="flex-start">
      <ErrorKind type={error.error_type} />
      <div className={classes.said}>
        <Text size="sm">{error.message}</Text>
        {error.suggestion !== "" && (
          <Text size="sm" c="dimmed">
            {error.suggestion}
          </Text>
        )}
        {error.file_path !== null && (
          <div className={classes.path} dir="ltr">
            {error.file_path}
          </div>
        )}
      </div>
    </Group>
  );
}
