/** The series from its first image to its last: where one is, what is loaded, what this browser keeps. */
import { useEffect, useRef, type PointerEvent } from "react";

import type { SeriesLoad } from "@/lib/frames/types";

import classes from "./room.module.css";
import { useLoad } from "./use-load";
import { useViewed } from "./use-viewing";
import type { Viewing } from "./viewing";

const LOADED = "#2f6f69";
const KEPT = "#7fc6bf";
const FAILED = "#d0604a";

export function ScrollBar({ viewing, load }: { viewing: Viewing; load: SeriesLoad }) {
  const index = useViewed(viewing, (state) => state.index);
  const { total } = viewing;
  useLoad(load);

  function toPointer(event: PointerEvent<HTMLElement>) {
    const box = event.currentTarget.getBoundingClientRect();
    viewing.goTo(((event.clientY - box.top) / Math.max(1, box.height)) * total - 0.5);
  }

  if (total < 2) return null;
  return (
    <div
      className={classes.bar}
      role="slider"
      aria-orientation="vertical"
      aria-label="Images"
      aria-valuemin={1}
      aria-valuemax={total}
      aria-valuenow={index + 1}
      aria-valuetext={`Image ${index + 1} of ${total}; ${load.loaded} loaded`}
      title="Dark: not loaded yet. Green: loaded. Bright: kept by this browser."
      tabIndex={0}
      onPointerDown={(event) => {
        if (event.button !== 0) return;
        event.currentTarget.setPointerCapture(event.pointerId);
        toPointer(event);
      }}
      onPointerMove={(event) => {
        if (event.currentTarget.hasPointerCapture(event.pointerId)) toPointer(event);
      }}
      onKeyDown={(event) => {
        const step = STEPS[event.key];
        if (step === undefined) return;
        event.preventDefault();
        event.stopPropagation();
        viewing.goTo(Number.isFinite(step) ? viewing.getState().index + step : step < 0 ? 0 : total - 1);
      }}
    >
      <Ticks load={load} total={total} revision={load.revision} />
      <span className={classes.rail} style={{ transform: `translateY(${(100 * (index + 0.5)) / total}%)` }}>
        <span className={classes.thumb} />
      </span>
    </div>
  );
}

const STEPS: Record<string, number> = {
  ArrowUp: -1,
  ArrowLeft: -1,
  ArrowDown: 1,
  ArrowRight: 1,
  PageUp: -10,
  PageDown: 10,
  Home: -Infinity,
  End: Infinity,
};

function Ticks({ load, total, revision }: { load: SeriesLoad; total: number; revision: number }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const pen = canvas.current?.getContext("2d");
    if (pen == null) return;
    pen.canvas.height = total;
    pen.clearRect(0, 0, 1, total);
    const colourOf = (index: number) => (load.failure(index) !== null ? FAILED : load.isKept(index) ? KEPT : load.has(index) ? LOADED : null);
    let from = 0;
    while (from < total) {
      const colour = colourOf(from);
      let to = from + 1;
      while (to < total && colourOf(to) === colour) to += 1;
      if (colour !== null) {
        pen.fillStyle = colour;
        pen.fillRect(0, from, 1, to - from);
      }
      from = to;
    }
  }, [load, total, revision]);
  return <canvas ref={canvas} width={1} height={total} className={classes.ticks} aria-hidden />;
}
