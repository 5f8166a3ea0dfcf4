/** A button that copies, and says so; where copying is not possible it says that too. */
import { Button } from "@mantine/core";
import { useTimeout } from "@mantine/hooks";
import { IconAlertCircle, IconCheck, IconCopy } from "@tabler/icons-react";
import { useState } from "react";

import { copyText } from "@/lib/clipboard";

interface CopyProps {
  value: string;
  label: string;
  onCopied?: () => void;
  filled?: boolean;
}

const SAID_MS = 2_500;
const ICONS = { ready: IconCopy, copied: IconCheck, failed: IconAlertCircle };

export function Copy({ value, label, onCopied, filled = false }: CopyProps) {
  const [state, setState] = useState<"ready" | "copied" | "failed">("ready");
  const { start } = useTimeout(() => setState("ready"), SAID_MS);
  const Icon = ICONS[state];

  async function copy() {
    const done = await copyText(value);
    setState(done ? "copied" : "failed");
    start();
    if (done) onCopied?.();
  }

  return (
    <Button variant={filled ? "filled" : "default"} leftSection={<Icon size={16} aria-hidden />} onClick={() => void copy()}>
      <span aria-live="polite">{state === "copied" ? "Copied" : state === "failed" ? "Mark it and copy by hand" : label}</span>
    </Button>
  );
}
