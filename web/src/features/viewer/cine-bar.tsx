/** The series as a film: play, pause, stop, how fast. */
import { Slider } from "@mantine/core";
import { IconPlayerPauseFilled, IconPlayerPlayFilled, IconPlayerSkipBackFilled, IconPlayerSkipForwardFilled, IconPlayerStopFilled } from "@tabler/icons-react";

import { FPS_LEAST, FPS_MOST } from "./cine";
import classes from "./room.module.css";
import { ToolButton } from "./tool-button";
import { useViewed } from "./use-viewing";
import type { Viewing } from "./viewing";

export function CineBar({ viewing }: { viewing: Viewing }) {
  const isPlaying = useViewed(viewing, (state) => state.isPlaying);
  const fps = useViewed(viewing, (state) => state.fps);
  const look = { size: 17, "aria-hidden": true } as const;
  if (viewing.total < 2) return null;
  return (
    <div className={classes.cine} role="group" aria-label="Film">
      <ToolButton label="Previous image" hint="↑" icon={<IconPlayerSkipBackFilled {...look} />} onClick={() => viewing.step(-1)} className={classes.aside} />
      {isPlaying ? (
        <ToolButton label="Pause" hint="Space" icon={<IconPlayerPauseFilled {...look} />} onClick={() => viewing.pause()} />
      ) : (
        <ToolButton label="Play" hint="Space" icon={<IconPlayerPlayFilled {...look} />} onClick={() => viewing.play()} />
      )}
      <ToolButton label="Stop" icon={<IconPlayerStopFilled {...look} />} onClick={() => viewing.stop()} />
      <ToolButton label="Next image" hint="↓" icon={<IconPlayerSkipForwardFilled {...look} />} onClick={() => viewing.step(1)} className={classes.aside} />
      <Slider
        className={classes.fps}
        size="sm"
        min={FPS_LEAST}
        max={FPS_MOST}
        value={fps}
        onChange={(value) => viewing.setFps(value)}
        label={(value) => `${value} a second`}
        thumbLabel="Images a second"
      />
      <span className={classes.rate}>{fps} fps</span>
    </div>
  );
}
