/** Lays a stack of pictures into an element, when its time has come, and lets a viewing steer it. */
import { useEffect, useState, type RefObject } from "react";

import { bringStack } from "@/lib/cornerstone/early";
import type { Brush, StackView } from "@/lib/cornerstone/types";
import type { SeriesLoad } from "@/lib/frames/types";

import type { Viewing } from "./viewing";

export type StackStatus = "opening" | "open" | "failed";

export function useStack(place: RefObject<HTMLDivElement | null>, load: SeriesLoad, viewing: Viewing, brush: Brush, mayBegin: boolean): StackStatus {
  const [status, setStatus] = useState<StackStatus>("opening");
  useEffect(() => {
    const room = place.current;
    if (room === null || !mayBegin) return;
    // An element of its own for each stack: one that is being torn down shares nothing with the next.
    const element = document.createElement("div");
    element.style.cssText = "position:absolute;inset:0";
    room.append(element);
    let stack: StackView | null = null;
    let isOver = false;
    const watcher = new ResizeObserver(() => stack?.resize());
    bringStack()
      .then(({ openStack }) => openStack(element, load, brush))
      .then((opened) => {
        if (isOver) {
          opened.destroy();
          return;
        }
        stack = opened;
        watcher.observe(element);
        viewing.attach(opened);
        setStatus("open");
      })
      .catch(() => {
        if (!isOver) setStatus("failed");
      });
    return () => {
      isOver = true;
      watcher.disconnect();
      viewing.detach();
      stack?.destroy();
      element.remove();
    };
  }, [place, load, viewing, brush, mayBegin]);
  return status;
}
