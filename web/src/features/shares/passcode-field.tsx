/** Whether a link asks for a passcode, and which: made at random, or one's own. */
import { Button, Group, PasswordInput, Stack, Switch, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconDice5 } from "@tabler/icons-react";
import type { ReactNode } from "react";

import classes from "./shares.module.css";
import { makePasscode, STRENGTH_WORDS, strengthOf, type Strength } from "./passcode";

const COLORS: Record<Strength, string | undefined> = { short: "red", weak: "red", fair: undefined, good: "green" };

interface PasscodeFieldProps {
  enabled: boolean;
  value: string;
  error: ReactNode;
  onEnabled: (enabled: boolean) => void;
  onChange: (value: string) => void;
}

export function PasscodeField({ enabled, value, error, onEnabled, onChange }: PasscodeFieldProps) {
  // One that was made just now is shown: nobody has seen it yet, and it has to be told.
  const [shown, { set }] = useDisclosure(true);
  const strength = strengthOf(value);
  return (
    <Stack gap="xs">
      <Switch
        label="Ask for a passcode"
        description={enabled ? "Tell it by another way than the link: by telephone, not in the same mail." : "Off: whoever gets hold of the link gets the images."}
        checked={enabled}
        onChange={(event) => onEnabled(event.currentTarget.checked)}
      />
      {enabled && (
        <>
          <Group gap="xs" align="flex-start">
            <PasswordInput
              aria-label="Passcode"
              autoComplete="off"
              spellCheck={false}
              visible={shown}
              onVisibilityChange={set}
              visibilityToggleButtonProps={{ "aria-label": "Show the passcode" }}
              value={value}
              onChange={(event) => onChange(event.currentTarget.value)}
              error={error}
              maxLength={200}
              flex="1 1 14rem"
              maw={320}
              classNames={{ innerInput: classes.code }}
            />
            <Button
              variant="default"
              leftSection={<IconDice5 size={16} aria-hidden />}
              onClick={() => {
                onChange(makePasscode());
                set(true);
              }}
            >
              Make one
            </Button>
          </Group>
          <Text size="sm" c={COLORS[strength] ?? "dimmed"} aria-live="polite">
            {STRENGTH_WORDS[strength]}
          </Text>
        </>
      )}
    </Stack>
  );
}
