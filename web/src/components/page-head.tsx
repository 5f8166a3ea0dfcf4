/** The head of a page: title, one line on what it is for, its main actions. Sets the window's title too. */
import { Box, Group, Text, Title } from "@mantine/core";
import { useDocumentTitle } from "@mantine/hooks";
import type { ReactNode } from "react";

interface PageHeadProps {
  title: string;
  lead?: ReactNode;
  actions?: ReactNode;
}

export function PageHead({ title, lead, actions }: PageHeadProps) {
  useDocumentTitle(`${title} · Reading Room`);
  return (
    <Group justify="space-between" align="flex-end" gap="md" mb="lg">
      <Box maw={640}>
        <Title order={1}>
          <bdi>{title}</bdi>
        </Title>
        {lead !== undefined && (
          <Text c="dimmed" mt={4}>
            {lead}
          </Text>
        )}
      </Box>
      {actions !== undefined && <Group gap="xs">{actions}</Group>}
    </Group>
  );
}
