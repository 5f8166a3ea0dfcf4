/** What a page shows instead of its content: nothing here yet, something went wrong, still loading. */
import { Button, Center, Code, CopyButton, Group, Skeleton, Stack, Text, Title } from "@mantine/core";
import { IconCloudOff, IconLock, IconMoodEmpty, IconRefresh, IconZoomExclamation } from "@tabler/icons-react";
import type { ReactNode } from "react";

import { ApiError, NetworkError } from "@/lib/api/errors";

interface EmptyProps {
  title: string;
  /** A sentence on what to do now. */
  children: ReactNode;
  action?: ReactNode;
  icon?: ReactNode;
}

export function Empty({ title, children, action, icon }: EmptyProps) {
  return (
    <Center py={56} px="md">
      <Stack align="center" gap={6} maw={460} ta="center">
        <Text c="dimmed" component="span" mb={4} aria-hidden>
          {icon ?? <IconMoodEmpty size={34} stroke={1.3} />}
        </Text>
        <Title order={2} fz="h3">
          {title}
        </Title>
        <Text c="dimmed">{children}</Text>
        {action !== undefined && <Group mt="sm">{action}</Group>}
      </Stack>
    </Center>
  );
}

export function Failed({ error, retry }: { error: Error; retry?: () => void }) {
  const [title, icon] = nameOf(error);
  return (
    <Center py={56} px="md" role="alert">
      <Stack align="center" gap={6} maw={480} ta="center">
        <Text c="red" component="span" mb={4} aria-hidden>
          {icon}
        </Text>
        <Title order={2} fz="h3">
          {title}
        </Title>
        <Text c="dimmed">{error.message}</Text>
        {retry !== undefined && (
          <Button mt="sm" variant="default" leftSection={<IconRefresh size={16} />} onClick={retry}>
            Try again
          </Button>
        )}
        <RequestId error={error} />
      </Stack>
    </Center>
  );
}

/** The number under which the server's logs and audit trail know the request. */
export function RequestId({ error }: { error: Error }) {
  if (!(error instanceof ApiError) || error.requestId === null) return null;
  return (
    <CopyButton value={error.requestId} timeout={1500}>
      {({ copied, copy }) => (
        <Button variant="subtle" color="gray" size="compact-xs" fw={400} mt={4} onClick={copy} title="Copy the request id">
          {copied ? "Copied" : "Request"}&nbsp;<Code bg="transparent">{error.requestId}</Code>
        </Button>
      )}
    </CopyButton>
  );
}

export function LoadingRows({ rows = 8, height = 54 }: { rows?: number; height?: number }) {
  return (
    <Stack gap={10} p="md" role="status" aria-label="Loading">
      {Array.from({ length: rows }, (_, row) => (
        <Skeleton key={row} height={height - 16} radius="sm" width={`${100 - ((row * 7) % 22)}%`} />
      ))}
    </Stack>
  );
}

function nameOf(error: Error): [string, ReactNode] {
  const size = { size: 34, stroke: 1.3 };
  if (error instanceof NetworkError) return ["No connection", <IconCloudOff key="icon" {...size} />];
  if (error instanceof ApiError && error.status === 403) return ["Not for this account", <IconLock key="icon" {...size} />];
  if (error instanceof ApiError && error.status === 404) return ["Nothing here", <IconZoomExclamation key="icon" {...size} />];
  return ["That did not work", <IconZoomExclamation key="icon" {...size} />];
}
