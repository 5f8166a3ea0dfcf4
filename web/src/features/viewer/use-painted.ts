/** The first picture as soon as its bytes are here, painted over the place where the stack is being opened; it makes way when that has drawn. */
import { useEffect, useEffectEvent, type RefObject } from "react";

import { isStackHere } from "@/lib/cornerstone/early";
import { describe } from "@/lib/frames/describe";
import { lutsOf } from "@/lib/frames/luts";
import type { Manifest, SeriesLoad } from "@/lib/frames/types";
import { paint, shapeOf } from "@/lib/painter/paint";

import classes from "./room.module.css";
import type { Viewing } from "./viewing";

/** What draws weighs more than the rest of the page together: it comes after the first picture, but is not waited for longer than this. */
const PATIENCE_MS = 1_000;

interface Painted {
  place: RefObject<HTMLDivElement | null>;
  load: SeriesLoad;
  manifest: Manifest;
  viewing: Viewing;
  /** The first picture is on the screen, or will not be by this way: all else may begin. */
  onOver: () => void;
}

export function usePainted({ place, load, manifest, viewing, onOver }: Painted): void {
  const over = useEffectEvent(onOver);
  useEffect(() => {
    const room = place.current;
    if (room === null || isStackHere()) {
      over();
      return;
    }
    const canvas = document.createElement("canvas");
    canvas.className = classes.painted ?? "";
    const control = new AbortController();
    let wanted = -1;
    const put = async (index: number) => {
      const frame = describe(manifest, index);
      // No image stands under another one's number, not even for a moment.
      if (frame === null || shapeOf(frame) !== 1 || !load.has(index)) clear();
      if (frame === null || shapeOf(frame) !== 1) return;
      const bytes = await load.bytes(index, control.signal);
      const now = viewing.getState();
      if (control.signal.aborted || now.screen !== null || now.index !== index) return;
      if (!paint(canvas, frame, bytes, lutsOf(manifest, frame))) {
        clear();
        return;
      }
      room.append(canvas);
      room.dataset.painted = String(index + 1);
    };
    const clear = () => {
      canvas.remove();
      delete room.dataset.painted;
    };
    // The picture first: what follows holds the page up for half a second.
    const next = () => requestAnimationFrame(() => setTimeout(over));
    const look = () => {
      const { index, screen } = viewing.getState();
      if (screen !== null) end();
      else if (index !== wanted) {
        wanted = index;
        // Whatever is wrong with it, the stack tells.
        put(index)
          .catch(() => {
            if (viewing.getState().index === index) clear();
          })
          .finally(next);
      }
    };
    const stop = viewing.subscribe(look);
    const patience = setTimeout(over, PATIENCE_MS);
    const end = () => {
      stop();
      clearTimeout(patience);
      control.abort();
      clear();
    };
    look();
    return end;
  }, [place, load, manifest, viewing]);
}
