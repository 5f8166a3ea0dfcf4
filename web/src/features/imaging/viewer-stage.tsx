/** The picture itself, and how it is zoomed, moved and turned. */
import { Loader } from "@mantine/core";
import { useElementSize, useMergedRef } from "@mantine/hooks";
import { IconCloudOff, IconFileText, IconPhotoOff } from "@tabler/icons-react";
import { useImperativeHandle, useRef, useState, type ReactNode, type Ref } from "react";

import { BlobImage } from "@/components/blob-image";
import { RequestId } from "@/components/states";
import { NetworkError } from "@/lib/api/errors";

import { useLine } from "./connection";
import type { Asset } from "./imaging-api";
import { assetName } from "./kinds";
import { useGestures } from "./use-gestures";
import { usePicture } from "./use-picture";
import { moved, rotated, transformOf, WHOLE, zoomed, type Point, type Size } from "./view";
import classes from "./viewer.module.css";

export interface StageActs {
  zoom: (factor: number) => void;
  fit: () => void;
  move: (by: Point) => void;
  rotate: (quarters: 1 | -1) => void;
  focus: () => void;
}

/** A double click's zoom. */
const CLOSE_UP = 2.5;

const NO_SIZE: Size = { width: 0, height: 0 };

const MIDDLE: Point = { x: 0, y: 0 };

export function Stage({ asset, onStep, ref }: { asset: Asset; onStep: (way: 1 | -1) => void; ref: Ref<StageActs> }) {
  const { blob, error, retry } = usePicture(asset.id, "web", asset.webUrl !== null);
  const element = useRef<HTMLDivElement>(null);
  const { ref: measured, width, height } = useElementSize();
  const [view, setView] = useState(WHOLE);
  const [picture, setPicture] = useState(NO_SIZE);
  const [isBroken, setBroken] = useState(false);
  // The place stays, with the keyboard's focus in it; what is shown there begins anew with each picture.
  const [shown, setShown] = useState(asset.id);
  if (shown !== asset.id) {
    setShown(asset.id);
    setView(WHOLE);
    setPicture(NO_SIZE);
    setBroken(false);
  }
  const stage = { width, height };
  const acts = {
    zoom: (factor: number, at: Point = MIDDLE) => setView((now) => zoomed(now, factor, at, picture, stage)),
    fit: () => setView((now) => ({ ...WHOLE, turns: now.turns })),
    move: (by: Point) => setView((now) => moved(now, by, picture, stage)),
    rotate: (quarters: 1 | -1) => setView((now) => rotated(now, quarters)),
    focus: () => element.current?.focus(),
  };
  useImperativeHandle(ref, () => acts);
  useGestures(element, {
    ...acts,
    step: onStep,
    isZoomed: () => view.zoom > 1,
    toggle: (at) => (view.zoom > 1 ? acts.fit() : acts.zoom(CLOSE_UP, at)),
  });
  return (
    <div
      ref={useMergedRef(element, measured)}
      className={classes.stage}
      data-zoomed={view.zoom > 1 || undefined}
      data-zoom={view.zoom.toFixed(2)}
      data-turns={view.turns}
      role="group"
      aria-label={`The picture, ${Math.round(view.zoom * 100)} percent${view.turns === 0 ? "" : `, turned by ${view.turns * 90} degrees`}`}
      tabIndex={0}
      data-autofocus
    >
      {blob !== undefined && !isBroken && (
        <BlobImage
          key={asset.id}
          blob={blob}
          alt={asset.modality === "DOC" ? `First page of ${assetName(asset)}` : assetName(asset)}
          className={classes.picture}
          draggable={false}
          onLoad={({ currentTarget }) => setPicture({ width: currentTarget.naturalWidth, height: currentTarget.naturalHeight })}
          onError={() => setBroken(true)}
          style={{ transform: transformOf(view, picture, stage), opacity: picture.width === 0 ? 0 : 1 }}
        />
      )}
      {asset.webUrl === null && <Said icon={asset.modality === "DOC" ? <IconFileText size={40} stroke={1.2} /> : <IconPhotoOff size={40} stroke={1.2} />} title="No preview is made here" words="The original can be downloaded." />}
      {asset.webUrl !== null && blob === undefined && error === null && <Loader color="#7fc6bf" className={classes.loader} aria-label="Loading the picture" role="status" />}
      {isBroken && <Said icon={<IconPhotoOff size={40} stroke={1.2} />} title="This picture cannot be shown" words="The original can be downloaded." />}
      {error !== null && <NotThere error={error} retry={retry} />}
    </div>
  );
}

function NotThere({ error, retry }: { error: Error; retry: () => void }) {
  const line = useLine();
  if (error instanceof NetworkError) {
    const title = line === "offline" ? "You are offline" : "The server does not answer";
    return (
      <Said
        icon={<IconCloudOff size={40} stroke={1.2} />}
        title={title}
        words="This picture was not loaded yet. It comes by itself when the connection is back."
        alert
      />
    );
  }
  return (
    <Said icon={<IconPhotoOff size={40} stroke={1.2} />} title="This picture cannot be shown" words={error.message} alert>
      <button type="button" className={classes.again} onClick={retry}>
        Try again
      </button>
      <RequestId error={error} />
    </Said>
  );
}

function Said({ icon, title, words, alert = false, children }: { icon: ReactNode; title: string; words: string; alert?: boolean; children?: ReactNode }) {
  return (
    <div className={classes.said} role={alert ? "alert" : undefined}>
      <span aria-hidden>{icon}</span>
      <strong>{title}</strong>
      <span>{words}</span>
      {children}
    </div>
  );
}
