/** The case number: given by the server, changed only on purpose, with the folder it stands for. */
import { ActionIcon, Code, NumberInput, Tooltip } from "@mantine/core";
import { IconLock, IconLockOpen } from "@tabler/icons-react";
import { useEffect, useRef } from "react";

import { expectedPath } from "@/lib/format";

interface NumberFieldProps {
  value: number;
  examType: string;
  error?: React.ReactNode;
  unlocked: boolean;
  onUnlock: () => void;
  onChange: (value: number | string) => void;
}

export function NumberField({ value, examType, error, unlocked, onUnlock, onChange }: NumberFieldProps) {
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (unlocked) input.current?.select();
  }, [unlocked]);
  return (
    <NumberInput
      ref={input}
      label="Case number"
      description={
        <>
          Images are expected at <Code>{expectedPath(examType, Number.isInteger(value) ? value : null)}</Code>
        </>
      }
      inputWrapperOrder={["label", "input", "error", "description"]}
      value={value}
      onChange={onChange}
      error={error}
      readOnly={!unlocked}
      variant={unlocked ? "default" : "filled"}
      allowDecimal={false}
      allowNegative={false}
      min={1}
      hideControls={!unlocked}
      rightSection={
        unlocked ? undefined : (
          <Tooltip label="Give another number">
            <ActionIcon variant="subtle" color="gray" onClick={onUnlock} aria-label="Unlock the case number">
              <IconLock size={17} stroke={1.6} />
            </ActionIcon>
          </Tooltip>
        )
      }
      leftSection={unlocked ? <IconLockOpen size={16} stroke={1.6} aria-hidden /> : undefined}
    />
  );
}
