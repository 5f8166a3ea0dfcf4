/** Brightness and contrast: windows to choose from, and the two figures to type in. */
import { Button, Group, Menu, Modal, NumberInput, Stack, Text } from "@mantine/core";
import { IconChevronDown, IconContrast } from "@tabler/icons-react";
import { useState } from "react";

import type { Window } from "@/lib/cornerstone/types";

import { choose, presetName, type Preset } from "./presets";
import classes from "./room.module.css";
import { LOOK, ToolButton } from "./tool-button";
import { useViewed } from "./use-viewing";
import type { Viewing } from "./viewing";

export function WindowMenu({ viewing, presets }: { viewing: Viewing; presets: readonly Preset[] }) {
  const center = useViewed(viewing, (state) => state.screen?.window.center ?? null);
  const width = useViewed(viewing, (state) => state.screen?.window.width ?? null);
  const table = useViewed(viewing, (state) => state.screen?.table ?? null);
  const [typing, setTyping] = useState(false);
  const shown = center === null || width === null ? null : { center, width };
  const name = shown === null ? "" : presetName(presets, shown, table);
  if (presets.length === 0) return null;
  return (
    <>
      <Menu position="bottom-start" width={250} withInitialFocusPlaceholder={false}>
        <Menu.Target>
          <ToolButton
            label={name === "" ? "Window presets" : `Window presets: ${name}`}
            icon={<IconContrast {...LOOK} />}
            words={
              <>
                <span className={classes.windowName}>{name === "" ? "Window presets" : name}</span>
                <IconChevronDown size={14} aria-hidden />
              </>
            }
          />
        </Menu.Target>
        <Menu.Dropdown>
          {presets.map((preset) => (
            <Menu.Item
              key={preset.name}
              onClick={() => choose(viewing, preset)}
              rightSection={preset.key === undefined ? null : <span className={classes.key}>{preset.key}</span>}
            >
              {preset.name}
              {preset.window !== null && (
                <Text span size="xs" c="dimmed" ms={8} className={classes.figures}>
                  {preset.window.center} / {preset.window.width}
                </Text>
              )}
            </Menu.Item>
          ))}
          <Menu.Divider />
          <Menu.Item onClick={() => setTyping(true)}>Type centre and width…</Menu.Item>
        </Menu.Dropdown>
      </Menu>
      <Modal opened={typing} onClose={() => setTyping(false)} title="Centre and width" size="xs" overlayProps={{ backgroundOpacity: 0.2, blur: 0 }}>
        {typing && <Values shown={shown} onDone={() => setTyping(false)} onSet={(window) => viewing.setWindow(window)} />}
      </Modal>
    </>
  );
}

function Values({ shown, onDone, onSet }: { shown: Window | null; onDone: () => void; onSet: (window: Window) => void }) {
  const [center, setCenter] = useState<number | string>(rounded(shown?.center ?? 0));
  const [width, setWidth] = useState<number | string>(rounded(shown?.width ?? 1));
  const isRight = typeof center === "number" && typeof width === "number" && width >= 1;
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (!isRight) return;
        onSet({ center, width });
        onDone();
      }}
    >
      <Stack gap="sm">
        <Group grow wrap="nowrap">
          <NumberInput label="Centre" value={center} onChange={setCenter} data-autofocus step={10} hideControls />
          <NumberInput label="Width" value={width} onChange={setWidth} min={1} step={10} hideControls error={isRight ? undefined : "From 1 on"} />
        </Group>
        <Button type="submit" disabled={!isRight}>
          Set the window
        </Button>
      </Stack>
    </form>
  );
}

function rounded(value: number): number {
  return Math.round(value * 10) / 10;
}
