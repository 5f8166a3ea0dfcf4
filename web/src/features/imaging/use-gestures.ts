/** Wheel, drag, pinch and swipe on the stage, told as zoom, move and step. */
import { useEffect, useRef, type RefObject } from "react";

import type { Point } from "./view";

export interface Gestures {
  zoom: (factor: number, at: Point) => void;
  move: (by: Point) => void;
  /** A swipe across a picture that is not zoomed. */
  step: (way: 1 | -1) => void;
  /** A double click or double tap. */
  toggle: (at: Point) => void;
  isZoomed: () => boolean;
}

const SWIPE_PX = 60;

export function useGestures(stage: RefObject<HTMLElement | null>, gestures: Gestures): void {
  const latest = useRef(gestures);
  useEffect(() => {
    latest.current = gestures;
  });
  useEffect(() => {
    const element = stage.current;
    if (element === null) return;
    const stops = new AbortController();
    const { signal } = stops;
    const fingers = new Map<number, Point>();
    let began: Point | null = null;

    function fromMiddle({ clientX, clientY }: { clientX: number; clientY: number }): Point {
      const box = element?.getBoundingClientRect() ?? new DOMRect();
      return { x: clientX - box.left - box.width / 2, y: clientY - box.top - box.height / 2 };
    }

    const wheel = (event: WheelEvent) => {
      event.preventDefault();
      // A mouse tells lines or pixels, a pad's pinch comes as a wheel with Ctrl.
      const pixels = event.deltaMode === 1 ? event.deltaY * 33 : event.deltaY;
      const factor = Math.exp(-Math.max(-240, Math.min(240, pixels)) * (event.ctrlKey ? 0.01 : 0.0022));
      latest.current.zoom(factor, fromMiddle(event));
    };
    const down = (event: PointerEvent) => {
      if (event.button !== 0) return;
      const at = fromMiddle(event);
      fingers.set(event.pointerId, at);
      element.setPointerCapture(event.pointerId);
      began = fingers.size === 1 ? at : null;
    };
    const move = (event: PointerEvent) => {
      const before = fingers.get(event.pointerId);
      if (before === undefined) return;
      const now = fromMiddle(event);
      const other = [...fingers].find(([pointer]) => pointer !== event.pointerId)?.[1];
      fingers.set(event.pointerId, now);
      if (other === undefined) {
        latest.current.move({ x: now.x - before.x, y: now.y - before.y });
        return;
      }
      const middle = { x: (now.x + other.x) / 2, y: (now.y + other.y) / 2 };
      latest.current.zoom(apart(now, other) / Math.max(1, apart(before, other)), middle);
      latest.current.move({ x: (now.x - before.x) / 2, y: (now.y - before.y) / 2 });
    };
    const up = (event: PointerEvent) => {
      fingers.delete(event.pointerId);
      if (began === null || event.type !== "pointerup") return;
      const { x, y } = fromMiddle(event);
      const [across, along] = [x - began.x, y - began.y];
      began = null;
      if (event.pointerType !== "mouse" && !latest.current.isZoomed() && Math.abs(across) > SWIPE_PX && Math.abs(across) > 2 * Math.abs(along)) {
        latest.current.step(across < 0 ? 1 : -1);
      }
    };
    const twice = (event: MouseEvent) => latest.current.toggle(fromMiddle(event));

    // React listens to the wheel passively: it could not keep the page from zooming.
    element.addEventListener("wheel", wheel, { passive: false, signal });
    element.addEventListener("pointerdown", down, { signal });
    element.addEventListener("pointermove", move, { signal });
    element.addEventListener("pointerup", up, { signal });
    element.addEventListener("pointercancel", up, { signal });
    element.addEventListener("dblclick", twice, { signal });
    return () => stops.abort();
  }, [stage]);
}

function apart(one: Point, other: Point): number {
  return Math.hypot(one.x - other.x, one.y - other.y);
}
