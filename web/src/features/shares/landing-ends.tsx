/** When a link ends: how long it is till then, and the very moment. */
import { Text } from "@mantine/core";

import { exactTime, untilWords } from "./share-words";
import { useNow } from "./use-now";

export function Ends({ expiresAt }: { expiresAt: string }) {
  const now = useNow();
  return (
    <Text size="sm" c="dimmed">
      Ends {untilWords(expiresAt, now)}, on <time dateTime={expiresAt}>{exactTime(expiresAt)}</time>.
    </Text>
  );
}
