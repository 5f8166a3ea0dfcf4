/** One button of the viewer: an icon with its name beside the pointer, pressed or not. */
import { Tooltip, UnstyledButton } from "@mantine/core";
import type { ComponentProps, ReactNode } from "react";

import classes from "./room.module.css";

interface ToolButtonProps extends Omit<ComponentProps<"button">, "children"> {
  label: string;
  /** Its key, told with the name. */
  hint?: string;
  icon: ReactNode;
  /** Beside the icon, where there is room. */
  words?: ReactNode;
  pressed?: boolean;
}

export function ToolButton({ label, hint, icon, words, pressed, className, ...rest }: ToolButtonProps) {
  return (
    <Tooltip label={hint === undefined ? label : `${label} (${hint})`} openDelay={350} events={{ hover: true, focus: true, touch: false }}>
      <UnstyledButton
        type="button"
        {...rest}
        className={[classes.tool, className].filter(Boolean).join(" ")}
        aria-label={label}
        aria-pressed={pressed}
        data-words={words === undefined ? undefined : true}
      >
        {icon}
        {words}
      </UnstyledButton>
    </Tooltip>
  );
}

export const LOOK = { size: 20, stroke: 1.6, "aria-hidden": true } as const;
