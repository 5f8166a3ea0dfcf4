/** One series over the whole window: head with tools, the picture, the other series beside it, the film below. */
import { VisuallyHidden } from "@mantine/core";
import { useDocumentTitle, useWindowEvent } from "@mantine/hooks";
import { IconArrowLeft, IconLayoutSidebar, IconMouse, IconPhotoOff } from "@tabler/icons-react";
import { useEffect, useMemo, useRef, useState, type ReactNode } from "react";
import { Link, useLocation, useNavigate, useSearchParams } from "react-router";

import { Shortcuts } from "@/components/shortcuts";
import { isStackHere } from "@/lib/cornerstone/early";
import { describe } from "@/lib/frames/describe";
import type { Manifest, SeriesLoad } from "@/lib/frames/types";

import { CineBar } from "./cine-bar";
import { fpsOf } from "./cine";
import { Counter } from "./counter";
import { useDesk } from "./desk";
import { toggleFullscreen } from "./fullscreen";
import { actOf, isTaken, SHORTCUTS } from "./keys";
import { Reasons } from "./notes";
import { firstIndex, imageOf } from "./place";
import { presetsOf, type Preset } from "./presets";
import { errorWords } from "./progress";
import classes from "./room.module.css";
import { ScrollBar } from "./scroll-bar";
import { SensitivitySlider, SettingsButton } from "./settings-dialog";
import { Said, Stage } from "./stage";
import { Strip } from "./strip";
import { useStudy } from "./study-room";
import { patientWords } from "./study-words";
import { ToolButton, LOOK } from "./tool-button";
import { Toolbar } from "./toolbar";
import { useLoad } from "./use-load";
import { usePreferences } from "./use-preferences";
import { useViewed } from "./use-viewing";
import { Viewing } from "./viewing";

export interface SeriesPageProps {
  seriesUid: string;
  back: { to: string; label: string };
  pathOf: (seriesUid: string) => string;
  /** Beside the tools: other viewers. */
  others?: ReactNode;
  /** Below the head: what the reader must know. */
  banner?: ReactNode;
}

export function SeriesPage(props: SeriesPageProps) {
  // Of no patient: titles stand in histories and on shared screens.
  useDocumentTitle("Viewer · Reading Room");
  const { seriesUid, pathOf, banner } = props;
  const { loads, error } = useStudy();
  const [{ showsStrip }] = usePreferences();
  const load = useLoad(loads.get(seriesUid));
  const manifest = load?.manifest ?? null;
  return (
    <div className={classes.room} data-strip={showsStrip || undefined}>
      {load !== undefined && manifest !== null && manifest.frameCount > 0 ? (
        <Screen key={`${seriesUid} ${manifest.version}`} {...props} load={load} manifest={manifest} />
      ) : (
        <Before {...props} load={load} manifest={manifest} error={error} />
      )}
      {banner}
      {showsStrip && <Strip seriesUid={seriesUid} pathOf={pathOf} />}
    </div>
  );
}

/** As long as there is nothing to show, and where there will be nothing. */
function Before({ back, load, manifest, error }: SeriesPageProps & { load: SeriesLoad | undefined; manifest: Manifest | null; error: Error | null }) {
  const { loader } = useDesk();
  const { retry } = useStudy();
  const problem = load?.state === "error" ? errorWords(load.error?.status ?? 0, load.error?.message ?? "") : load === undefined && error !== null ? error.message : null;
  return (
    <>
      <Head back={back} title="" words="" />
      <div className={classes.stage}>
        {problem !== null && (
          <Said icon={<IconPhotoOff size={40} stroke={1.2} />} title="This series cannot be opened" words={problem}>
            <button type="button" className={classes.again} onClick={() => (load === undefined ? retry() : loader.retry(load.ref))}>
              Try again
            </button>
          </Said>
        )}
        {manifest !== null && (
          <Said icon={<IconPhotoOff size={40} stroke={1.2} />} title="No image in this series" words="Its files hold nothing that could be shown as a picture.">
            <Reasons manifest={manifest} />
          </Said>
        )}
        {problem === null && manifest === null && (
          <div className={classes.waiting} role="status">
            {load?.state === "offline" ? "Offline: waits for the line" : "The series is being opened"}
          </div>
        )}
      </div>
    </>
  );
}

function Head({ back, title, words, children }: { back: SeriesPageProps["back"]; title: string; words: string; children?: ReactNode }) {
  return (
    <header className={classes.head}>
      <Link to={back.to} className={classes.back} aria-label={back.label}>
        <IconArrowLeft size={20} stroke={1.7} aria-hidden />
      </Link>
      <div className={classes.words}>
        <h1>
          <bdi>{title}</bdi>
        </h1>
        <bdi>{words}</bdi>
      </div>
      {children}
    </header>
  );
}

function Screen({ seriesUid, back, pathOf, others, load, manifest }: SeriesPageProps & { load: SeriesLoad; manifest: Manifest }) {
  const { loader } = useDesk();
  const { series } = useStudy();
  const navigate = useNavigate();
  const { state } = useLocation() as { state: unknown };
  const [params] = useSearchParams();
  const [{ showsInfo, showsStrip }, change] = usePreferences();
  const counter = useRef<HTMLInputElement>(null);
  const [viewing] = useState(() => newViewing(loader, load, manifest, imageOf(params)));
  const presets = usePresets(viewing, manifest);
  // The picture comes before the tools, which nobody needs without it.
  const [isFurnished, setFurnished] = useState(isStackHere);
  const furnish = () => {
    setFurnished(true);
    loader.drawn();
  };
  useEffect(() => () => loader.leave(load.ref), [loader, load]);

  const acts = {
    toggleInfo: () => change({ showsInfo: !showsInfo }),
    fullscreen: toggleFullscreen,
    toCounter: () => counter.current?.focus(),
    neighbour: (by: 1 | -1) => {
      const place = series?.findIndex((row) => row.seriesUid === seriesUid) ?? -1;
      const next = place < 0 ? undefined : series?.[place + by];
      if (next !== undefined) void navigate(pathOf(next.seriesUid), { state });
    },
  };
  // Before the stack's own listeners: they take every key for themselves once the mouse was on the picture.
  useWindowEvent(
    "keydown",
    (event) => {
      if (isTaken(event.target, event.key)) return;
      const act = actOf(event, presets);
      if (act === null) return;
      event.preventDefault();
      act(viewing, acts);
    },
    { capture: true },
  );

  const name = manifest.seriesDescription.trim() === "" ? (manifest.seriesNumber === null ? "Series" : `Series ${manifest.seriesNumber}`) : manifest.seriesDescription.trim();
  return (
    <>
      <Head back={back} title={name} words={patientWords(manifest)}>
        {isFurnished ? (
          <Toolbar viewing={viewing} presets={presets} showsInfo={showsInfo} onInfo={acts.toggleInfo} onFullscreen={acts.fullscreen}>
            {(series?.length ?? 0) > 1 && (
              <ToolButton label="Series beside the image" pressed={showsStrip} icon={<IconLayoutSidebar {...LOOK} />} onClick={() => change({ showsStrip: !showsStrip })} />
            )}
            <SettingsButton />
            <Shortcuts keys={SHORTCUTS} />
            {others}
          </Toolbar>
        ) : (
          <div className={classes.tools} />
        )}
      </Head>
      <KeptPlace viewing={viewing} />
      <main className={classes.middle}>
        <Stage viewing={viewing} load={load} manifest={manifest} name={name} mayDraw={isFurnished} onPainted={furnish} />
        <ScrollBar viewing={viewing} load={load} />
      </main>
      <footer className={classes.foot}>
        {isFurnished && (
          <>
            <Counter viewing={viewing} ref={counter} />
            <CineBar viewing={viewing} />
            <div className={classes.wheel}>
              <IconMouse size={17} stroke={1.6} aria-hidden />
              <VisuallyHidden id="wheel-speed">Speed of the mouse wheel</VisuallyHidden>
              <SensitivitySlider labelledBy="wheel-speed" bare />
            </div>
          </>
        )}
        <Loaded load={load} />
      </footer>
    </>
  );
}

/** How far the series has come, in the corner of the eye. */
function Loaded({ load: given }: { load: SeriesLoad }) {
  const load = useLoad(given) ?? given;
  return (
    <span className={classes.loaded} data-loaded={load.loaded} data-kept={keptOf(load)}>
      {load.loaded >= load.total ? "All loaded" : `${load.loaded} / ${load.total} loaded`}
    </span>
  );
}

/** How many images the browser keeps for the next visit. */
function keptOf(load: SeriesLoad): number {
  let kept = 0;
  for (let index = 0; index < load.total; index += 1) if (load.isKept(index)) kept += 1;
  return kept;
}

function newViewing(loader: ReturnType<typeof useDesk>["loader"], load: SeriesLoad, manifest: Manifest, wanted: number | null): Viewing {
  const frameTime = manifest.defaults.frameTime ?? null;
  return new Viewing({
    loader,
    load,
    total: manifest.frameCount,
    first: wanted ?? firstIndex(manifest.frameCount, frameTime !== null),
    fps: fpsOf(frameTime),
    // A finger scrolls; a mouse has its wheel for that.
    tool: matchMedia("(pointer: coarse)").matches ? "scroll" : "window",
    nextPicture: (run) => {
      const wish = requestAnimationFrame(run);
      return () => cancelAnimationFrame(wish);
    },
  });
}

const SETTLED_MS = 350;

/** The address says which image it is, so that a reload or a link opens the same; said when one comes to rest. */
function KeptPlace({ viewing }: { viewing: Viewing }) {
  const index = useViewed(viewing, (state) => state.index);
  const isPlaying = useViewed(viewing, (state) => state.isPlaying);
  const { state } = useLocation() as { state: unknown };
  const [params, setParams] = useSearchParams();
  const said = imageOf(params);
  useEffect(() => {
    if (said === index || isPlaying) return;
    const timer = setTimeout(() => setParams({ image: String(index + 1) }, { replace: true, preventScrollReset: true, state }), SETTLED_MS);
    return () => clearTimeout(timer);
  }, [said, index, isPlaying, setParams, state]);
  return null;
}

/** Windows to choose from for the image on the screen: mostly the same ones for all, so that the tools need not be drawn anew at each step. */
function usePresets(viewing: Viewing, manifest: Manifest): readonly Preset[] {
  const said = useViewed(viewing, ({ index }) => {
    const frame = describe(manifest, index);
    return JSON.stringify(frame === null ? [] : presetsOf(manifest, frame));
  });
  return useMemo(() => JSON.parse(said) as Preset[], [said]);
}
