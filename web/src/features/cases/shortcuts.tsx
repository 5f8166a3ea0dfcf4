/** The keys of the list, shown by `?` or the button. */
import { ActionIcon, Group, Kbd, Modal, Stack, Text, Tooltip } from "@mantine/core";
import { useDisclosure, useHotkeys } from "@mantine/hooks";
import { IconKeyboard } from "@tabler/icons-react";

const KEYS = [
  [["/"], "Jump to the search"],
  [["Esc"], "Empty the search, close a dialog"],
  [["↓", "↑"], "Next and previous case (j and k work too)"],
  [["Space"], "Check the case"],
  [["Enter"], "Open the case"],
  [["?"], "Show these keys"],
] as const;

export function Shortcuts() {
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
          {KEYS.map(([keys, what]) => (
            <Group key={what} justify="space-between" wrap="nowrap">
              <Text size="sm">{what}</Text>
              <Group gap={4} wrap="nowrap">
                {keys.map((key) => (
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
