/** All that can be done with the series on the screen. */
import { Menu } from "@mantine/core";
import {
  IconAngle,
  IconArrowsMaximize,
  IconArrowsMove,
  IconArrowsVertical,
  IconBrightnessHalf,
  IconCircleDashed,
  IconColorPicker,
  IconEraser,
  IconFlipHorizontal,
  IconFlipVertical,
  IconInfoCircle,
  IconMaximize,
  IconMoon,
  IconRefresh,
  IconRotate2,
  IconRotateClockwise2,
  IconRuler2,
  IconRulerMeasure,
  IconSquare,
  IconTrash,
  IconZoom,
  IconZoomIn,
  IconZoomOut,
} from "@tabler/icons-react";
import type { ReactNode } from "react";

import type { ToolName } from "@/lib/cornerstone/types";

import { canFill, useFillsScreen } from "./fullscreen";
import type { Preset } from "./presets";
import classes from "./room.module.css";
import { LOOK, ToolButton } from "./tool-button";
import { useViewed } from "./use-viewing";
import type { Viewing } from "./viewing";
import { WindowMenu } from "./window-menu";

interface ToolbarProps {
  viewing: Viewing;
  presets: readonly Preset[];
  showsInfo: boolean;
  onInfo: () => void;
  onFullscreen: () => void;
  /** Settings, keys, other viewers. */
  children: ReactNode;
}

export function Toolbar({ viewing, presets, showsInfo, onInfo, onFullscreen, children }: ToolbarProps) {
  const fills = useFillsScreen();
  const inverted = useViewed(viewing, (state) => state.screen?.inverted ?? false);
  return (
    <div className={classes.tools} role="group" aria-label="Tools">
      <Drag viewing={viewing} name="window" label="Window" hint="w" icon={<IconBrightnessHalf {...LOOK} />} />
      <Drag viewing={viewing} name="scroll" label="Scroll" hint="s" icon={<IconArrowsVertical {...LOOK} />} />
      <Drag viewing={viewing} name="pan" label="Pan" hint="p" icon={<IconArrowsMove {...LOOK} />} />
      <Drag viewing={viewing} name="zoom" label="Zoom" hint="z" icon={<IconZoom {...LOOK} />} />
      <Measures viewing={viewing} />
      <span className={classes.gap} />
      <WindowMenu viewing={viewing} presets={presets} />
      <ToolButton label="Invert" hint="i" pressed={inverted} icon={<IconMoon {...LOOK} />} onClick={() => viewing.invert()} />
      <span className={classes.gap} />
      <ToolButton label="Zoom out" hint="−" icon={<IconZoomOut {...LOOK} />} onClick={() => viewing.zoom("out")} />
      <ToolButton label="Zoom in" hint="+" icon={<IconZoomIn {...LOOK} />} onClick={() => viewing.zoom("in")} />
      <ToolButton label="Fit to the window" hint="0" icon={<IconArrowsMaximize {...LOOK} />} onClick={() => viewing.zoom("fit")} />
      <ToolButton label="1:1, real size" hint="." icon={<span className={classes.glyph}>1:1</span>} onClick={() => viewing.zoom("actual")} />
      <Turns viewing={viewing} />
      <ToolButton label="Reset the view" hint="x" icon={<IconRefresh {...LOOK} />} onClick={() => viewing.reset()} />
      <span className={classes.gap} />
      <ToolButton label="Series information" hint="o" pressed={showsInfo} icon={<IconInfoCircle {...LOOK} />} onClick={onInfo} />
      {canFill() && <ToolButton label="Full screen" hint="f" pressed={fills} icon={<IconMaximize {...LOOK} />} onClick={onFullscreen} className={classes.wide} />}
      {children}
    </div>
  );
}

interface DragProps {
  viewing: Viewing;
  name: ToolName;
  label: string;
  hint: string;
  icon: ReactNode;
}

/** What dragging does. */
function Drag({ viewing, name, label, hint, icon }: DragProps) {
  const isChosen = useViewed(viewing, (state) => state.tool === name);
  return <ToolButton label={label} hint={`drag, ${hint}`} pressed={isChosen} icon={icon} onClick={() => viewing.setTool(name)} />;
}

const MEASURES: readonly { name: ToolName; label: string; icon: typeof IconAngle; key: string }[] = [
  { name: "length", label: "Length", icon: IconRulerMeasure, key: "l" },
  { name: "angle", label: "Angle", icon: IconAngle, key: "a" },
  { name: "ellipse", label: "Ellipse", icon: IconCircleDashed, key: "e" },
  { name: "rectangle", label: "Rectangle", icon: IconSquare, key: "t" },
  { name: "probe", label: "Value at a point", icon: IconColorPicker, key: "" },
];

function Measures({ viewing }: { viewing: Viewing }) {
  const tool = useViewed(viewing, (state) => state.tool);
  const chosen = MEASURES.find(({ name }) => name === tool);
  const Icon = chosen?.icon ?? IconRuler2;
  return (
    <Menu position="bottom-start" width={230} withInitialFocusPlaceholder={false}>
      <Menu.Target>
        <ToolButton label={chosen === undefined ? "Measure" : `Measure: ${chosen.label}`} pressed={chosen !== undefined} icon={<Icon {...LOOK} />} />
      </Menu.Target>
      <Menu.Dropdown>
        {MEASURES.map(({ name, label, icon: Symbol, key }) => (
          <Menu.Item key={name} leftSection={<Symbol size={17} stroke={1.6} aria-hidden />} rightSection={<span className={classes.key}>{key}</span>} onClick={() => viewing.setTool(name)}>
            {label}
          </Menu.Item>
        ))}
        <Menu.Divider />
        <Menu.Item leftSection={<IconTrash size={17} stroke={1.6} aria-hidden />} rightSection={<span className={classes.key}>Del</span>} onClick={() => viewing.clearMeasurement()}>
          Remove the marked one
        </Menu.Item>
        <Menu.Item leftSection={<IconEraser size={17} stroke={1.6} aria-hidden />} onClick={() => viewing.clearMeasurements()}>
          Remove all measurements
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}

function Turns({ viewing }: { viewing: Viewing }) {
  const small = { size: 17, stroke: 1.6, "aria-hidden": true } as const;
  return (
    <Menu position="bottom-start" width={220} withInitialFocusPlaceholder={false}>
      <Menu.Target>
        <ToolButton label="Turn and mirror" icon={<IconRotateClockwise2 {...LOOK} />} />
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item leftSection={<IconRotateClockwise2 {...small} />} rightSection={<span className={classes.key}>r</span>} onClick={() => viewing.rotate(1)}>
          Turn right
        </Menu.Item>
        <Menu.Item leftSection={<IconRotate2 {...small} />} rightSection={<span className={classes.key}>Shift r</span>} onClick={() => viewing.rotate(-1)}>
          Turn left
        </Menu.Item>
        <Menu.Item leftSection={<IconFlipVertical {...small} />} rightSection={<span className={classes.key}>h</span>} onClick={() => viewing.flip("horizontal")}>
          Mirror left and right
        </Menu.Item>
        <Menu.Item leftSection={<IconFlipHorizontal {...small} />} rightSection={<span className={classes.key}>v</span>} onClick={() => viewing.flip("vertical")}>
          Mirror top and bottom
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
