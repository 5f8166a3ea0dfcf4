/** Wheel, pointer and fingers on the picture, beyond what its tools do with them. */
import { useEffect, useRef, type RefObject } from "react";

import { WheelSteering } from "./wheel";

export interface HandActs {
  step: (by: number) => void;
  /** By this factor. */
  zoom: (factor: number) => void;
  /** The pointer is here, in pixels of the place; null when it left. */
  over: (at: { x: number; y: number } | null) => void;
  /** A finger rests on the picture: what it does then, until it is lifted. */
  press: (at: { x: number; y: number }) => void;
  lift: () => void;
}

const PRESS_MS = 450;
const STILL_PX = 10;

export function useHand(place: RefObject<HTMLElement | null>, sensitivity: number, acts: HandActs): void {
  const latest = useRef(acts);
  const steering = useRef<WheelSteering>(null);
  useEffect(() => {
    latest.current = acts;
    steering.current ??= new WheelSteering(sensitivity);
    steering.current.sensitivity = sensitivity;
  });
  useEffect(() => {
    const element = place.current;
    if (element === null) return;
    const stops = new AbortController();
    const { signal } = stops;
    const fingers = new Set<number>();
    let began: { x: number; y: number } | null = null;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let isPressed = false;
    let picture = 0;

    const at = ({ clientX, clientY }: { clientX: number; clientY: number }) => {
      const box = element.getBoundingClientRect();
      return { x: clientX - box.left, y: clientY - box.top };
    };
    const wheel = (event: WheelEvent) => {
      event.preventDefault();
      event.stopPropagation();
      // A pad's pinch comes as a wheel with Ctrl.
      if (event.ctrlKey) latest.current.zoom(Math.exp(-Math.max(-60, Math.min(60, event.deltaY)) * 0.01));
      else {
        const steps = steering.current?.steps({ deltaY: event.deltaY, deltaMode: event.deltaMode, at: event.timeStamp }) ?? 0;
        if (steps !== 0) latest.current.step(steps);
      }
    };
    const end = () => {
      clearTimeout(timer);
      began = null;
      if (isPressed) latest.current.lift();
      isPressed = false;
    };
    const down = (event: PointerEvent) => {
      if (event.pointerType !== "touch") return;
      fingers.add(event.pointerId);
      end();
      if (fingers.size > 1) return;
      const here = at(event);
      began = here;
      timer = setTimeout(() => {
        isPressed = true;
        latest.current.press(here);
      }, PRESS_MS);
    };
    const move = (event: PointerEvent) => {
      const here = at(event);
      if (began !== null && !isPressed && Math.hypot(here.x - began.x, here.y - began.y) > STILL_PX) end();
      if (event.pointerType === "touch" || picture !== 0) return;
      picture = requestAnimationFrame(() => {
        picture = 0;
        latest.current.over(here);
      });
    };
    const up = (event: PointerEvent) => {
      fingers.delete(event.pointerId);
      end();
    };
    const leave = (event: PointerEvent) => {
      if (event.pointerType !== "touch") latest.current.over(null);
    };
    // Before the tools of the stack below hear of it; React listens to the wheel passively.
    element.addEventListener("wheel", wheel, { passive: false, capture: true, signal });
    element.addEventListener("pointerdown", down, { capture: true, signal });
    element.addEventListener("pointermove", move, { capture: true, signal });
    window.addEventListener("pointerup", up, { capture: true, signal });
    window.addEventListener("pointercancel", up, { capture: true, signal });
    element.addEventListener("pointerleave", leave, { signal });
    element.addEventListener("contextmenu", (event) => event.preventDefault(), { signal });
    return () => {
      stops.abort();
      end();
      cancelAnimationFrame(picture);
    };
  }, [place]);
}
