/** The picture itself, as large as the window lets it be, and what is said over it. */
import { Loader, VisuallyHidden } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { IconCloudOff, IconPhotoOff } from "@tabler/icons-react";
import { useRef, useState, type ReactNode } from "react";

import type { ToolName } from "@/lib/cornerstone/types";
import type { Manifest, SeriesLoad } from "@/lib/frames/types";

import { Notes } from "./notes";
import { Overlay } from "./overlay";
import { probeWords } from "./overlay-words";
import classes from "./room.module.css";
import { useHand } from "./use-hand";
import { useLoad } from "./use-load";
import { usePainted } from "./use-painted";
import { usePreferences } from "./use-preferences";
import { useStack } from "./use-stack";
import { useViewing } from "./use-viewing";
import type { Viewing } from "./viewing";

/** What is late for less is not told of: a wheel would start and stop the sign of it with each image. */
const LATE_MS = 400;

interface StageProps {
  viewing: Viewing;
  load: SeriesLoad;
  manifest: Manifest;
  name: string;
  /** The stack is waited for until the first picture has been painted without it. */
  mayDraw: boolean;
  onPainted: () => void;
}

export function Stage({ viewing, load: given, manifest, name, mayDraw, onPainted }: StageProps) {
  const load = useLoad(given) ?? given;
  const place = useRef<HTMLDivElement>(null);
  usePainted({ place, load: given, manifest, viewing, onOver: onPainted });
  const [{ sensitivity, showsInfo, brush }] = usePreferences();
  const status = useStack(place, given, viewing, brush, mayDraw);
  const { index, screen, problem, isPlaying } = useViewing(viewing);
  const [probe, setProbe] = useState("");
  const before = useRef<ToolName>(null);
  useHand(place, sensitivity, {
    step: (by) => viewing.step(by),
    zoom: (factor) => viewing.zoom((viewing.getState().screen?.zoom ?? 1) * factor),
    over: (at) => setProbe(at === null ? "" : wordsAt(viewing, at)),
    // A resting finger changes brightness and contrast until it is lifted.
    press: (at) => {
      before.current = viewing.getState().tool;
      viewing.setTool("window");
      setProbe(wordsAt(viewing, at));
    },
    lift: () => {
      if (before.current !== null) viewing.setTool(before.current);
      before.current = null;
      setProbe("");
    },
  });
  const failure = load.failure(index);
  const isBehind = screen !== null && screen.index !== index && problem === null;
  const [wasBehind] = useDebouncedValue(isBehind, LATE_MS);
  return (
    <div className={classes.stage}>
      <div
        ref={place}
        className={classes.picture}
        role="img"
        aria-label={`${name}, image ${index + 1} of ${viewing.total}`}
        tabIndex={0}
        data-picture
        data-shown={screen === null ? undefined : screen.index + 1}
      />
      {status === "open" && showsInfo && <Overlay manifest={manifest} viewing={viewing} probe={probe} />}
      {status !== "failed" && screen === null && problem === null && <Waiting load={load} />}
      {isBehind && wasBehind && !isPlaying && <Loader size="sm" color="#7fc6bf" className={classes.late} aria-hidden />}
      {status === "failed" && (
        <Said icon={<IconPhotoOff size={40} stroke={1.2} />} title="This browser cannot draw the images" words="Open the page in a current browser, or download the series." />
      )}
      {status === "open" && problem !== null && (
        <Said
          icon={load.state === "offline" ? <IconCloudOff size={40} stroke={1.2} /> : <IconPhotoOff size={40} stroke={1.2} />}
          title={load.state === "offline" ? `Image ${index + 1} is not on this computer` : `Image ${index + 1} cannot be shown`}
          words={load.state === "offline" ? "There is no connection. It comes by itself when the line is back." : (failure?.message ?? problem)}
        >
          <button type="button" className={classes.again} onClick={() => viewing.again()}>
            Try again
          </button>
        </Said>
      )}
      <Notes load={load} manifest={manifest} />
      <VisuallyHidden role="status">{isPlaying ? "The film plays" : `Image ${index + 1} of ${viewing.total}`}</VisuallyHidden>
    </div>
  );
}

function wordsAt(viewing: Viewing, at: { x: number; y: number }): string {
  const probe = viewing.probe(at.x, at.y);
  return probe === null ? "" : probeWords(probe);
}

function Waiting({ load }: { load: SeriesLoad }) {
  return (
    <div className={classes.waiting} role="status">
      <Loader color="#7fc6bf" aria-hidden />
      <span>{load.state === "offline" ? "Offline: waits for the line" : "The first image is on its way"}</span>
    </div>
  );
}

interface SaidProps {
  icon: ReactNode;
  title: string;
  words: string;
  children?: ReactNode;
}

/** In the picture's place, when there is none. */
export function Said({ icon, title, words, children }: SaidProps) {
  return (
    <div className={classes.said} role="alert">
      <span aria-hidden>{icon}</span>
      <strong>{title}</strong>
      <span>{words}</span>
      {children}
    </div>
  );
}
