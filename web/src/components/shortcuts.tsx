/** The keys of a page, shown by `?` or the button. */
import { ActionIcon, Group, Kbd, Modal, Stack, Text, Tooltip } from "@mantine/core";
import { useDisclosure, useHotkeys } from "@mantine/hooks";
import { IconKeyboard } from "@tabler/icons-react";

/** Some keys, and what they do. */
export type Shortcut = readonly [keys: readonly string[], what: string];

const ALWAYS: readonly Shortcut[] = [[["?"], "Show these keys"]];

export function Shortcuts({ keys }: { keys: readonly Shortcut[] }) {
  const [opened, { open, close }] = useDisclosure(false);
  // With Shift on most keyboards, without on some.
  useHotkeys([
    ["shift+?", open],
    ["?", open],
  ]);
  return (
    <>
      <Tooltip label="Keyboard">
        <ActionIcon variant="subtle" color="gray" size="lg" onClick={open} aria-label="Keyboard shortcuts" visibleFrom="sm">
          <IconKeyboard size={19} stroke={1.6} />
        </ActionIcon>
      </Tooltip>
      <Modal opened={opened} onClose={close} title="Keyboard">
        <Stack gap="xs">
          {[...keys, ...ALWAYS].map(([pressed, what]) => (
            <Group key={what} justify="space-between" wrap="nowrap">
              <Text size="sm">{what}</Text>
              <Group gap={4} wrap="nowrap">
                {pressed.map((key) => (
                  <Kbd key={key}>{key}</Kbd>
                ))}
              </Group>
            </Group>
          ))}
        </Stack>
      </Modal>
    </>
  );
}
