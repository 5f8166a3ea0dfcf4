/** One picture, large: on a dark ground in both schemes, as on a light box in a dimmed room. */
import { Modal, VisuallyHidden } from "@mantine/core";
import { useWindowEvent } from "@mantine/hooks";
import { useQueryClient } from "@tanstack/react-query";
import { IconChevronLeft, IconChevronRight } from "@tabler/icons-react";
import { useEffect, useRef, useState } from "react";

import { pictureQuery, type Asset, type Study } from "./imaging-api";
import { DeletePicture } from "./delete-picture";
import { readPlace } from "./patient-address";
import { assetName, dayOf, kindWords, studyTitle } from "./kinds";
import { Stage, type StageActs } from "./viewer-stage";
import { ViewerTools } from "./viewer-tools";
import { STEP } from "./view";
import classes from "./viewer.module.css";

interface ViewerProps {
  studies: readonly Study[];
  assetId: number;
  /** Another picture, or null to close. */
  onShow: (assetId: number | null) => void;
}

/** How far an arrow key moves a zoomed picture. */
const MOVE_PX = 80;

export function Viewer({ studies, assetId, onShow }: ViewerProps) {
  const shown = studies.flatMap((study) => study.assets.map((asset) => ({ study, asset })));
  const place = shown.findIndex(({ asset }) => asset.id === assetId);
  const here = shown[place];
  const next = shown[place + 1]?.asset;
  const previous = shown[place - 1]?.asset;
  const stage = useRef<StageActs>(null);
  const [isDeleting, setDeleting] = useState(false);
  useNeighbours([next, previous]);

  function step(way: 1 | -1) {
    const wanted = way === 1 ? next : previous;
    if (wanted === undefined) return;
    onShow(wanted.id);
    // The button of this way goes with the last picture.
    if (shown[place + 2 * way] === undefined) stage.current?.focus();
  }

  // On the window: a button that goes takes the focus with it, and the keys work on.
  useWindowEvent("keydown", (event) => {
    if (isDeleting || event.ctrlKey || event.metaKey || event.altKey) return;
    const act = event.shiftKey ? SHIFTED[event.key] : KEYS[event.key];
    if (act === undefined || stage.current === null) return;
    event.preventDefault();
    act(stage.current, step);
  });

  // Deleted by somebody else, or on another page: the address leads nowhere. After a deletion here the address is ahead of what React
  // shows, which is a transition: the address itself is asked.
  const isGone = here === undefined;
  useEffect(() => {
    if (isGone && readPlace(new URLSearchParams(window.location.search)).picture === assetId) onShow(null);
  });
  if (here === undefined) return null;
  const { study, asset } = here;

  function close() {
    onShow(null);
    // Back to the small picture of what was looked at last.
    setTimeout(() => document.querySelector<HTMLElement>(`[data-tile="${asset.id}"]`)?.focus({ preventScroll: false }), 0);
  }

  return (
    <>
      <Modal.Root opened onClose={close} fullScreen transitionProps={{ duration: 120 }} returnFocus={false} closeOnEscape={!isDeleting} trapFocus={!isDeleting}>
        <Modal.Overlay backgroundOpacity={1} color="#070a0b" />
        <Modal.Content className={classes.content} aria-label={`${assetName(asset)}, viewer`} radius={0}>
          <div className={classes.room}>
            <header className={classes.head}>
              <div className={classes.words}>
                <strong>
                  <bdi>{studyTitle(study)}</bdi>
                </strong>
                <span>
                  {[studyTitle(study) === kindWords(study.kind) ? "" : kindWords(study.kind), dayOf(asset.capturedAt)].filter(Boolean).join(" · ")} · <bdi>{assetName(asset)}</bdi>
                </span>
              </div>
              <ViewerTools asset={asset} stage={stage} onDelete={() => setDeleting(true)} onClose={close} />
            </header>
            <div className={classes.middle}>
              <Stage ref={stage} asset={asset} onStep={step} />
              <Turner label="Previous picture" side="start" disabled={previous === undefined} onClick={() => step(-1)} />
              <Turner label="Next picture" side="end" disabled={next === undefined} onClick={() => step(1)} />
              <span className={classes.count}>
                {place + 1} of {shown.length}
              </span>
            </div>
            <VisuallyHidden role="status">
              Picture {place + 1} of {shown.length}: {assetName(asset)}, {studyTitle(study)}
            </VisuallyHidden>
          </div>
        </Modal.Content>
      </Modal.Root>
      <DeletePicture asset={isDeleting ? asset : null} onClose={() => setDeleting(false)} onDeleted={() => onShow(next?.id ?? previous?.id ?? null)} />
    </>
  );
}

type Act = (stage: StageActs, step: (way: 1 | -1) => void) => void;

const KEYS: Record<string, Act> = {
  "+": (stage) => stage.zoom(STEP),
  "=": (stage) => stage.zoom(STEP),
  "-": (stage) => stage.zoom(1 / STEP),
  "0": (stage) => stage.fit(),
  r: (stage) => stage.rotate(1),
  ArrowRight: (_, step) => step(1),
  ArrowLeft: (_, step) => step(-1),
  ArrowUp: (stage) => stage.move({ x: 0, y: MOVE_PX }),
  ArrowDown: (stage) => stage.move({ x: 0, y: -MOVE_PX }),
};

/** A plus needs Shift on some keyboards, a minus on none. */
const SHIFTED: Record<string, Act> = {
  "+": (stage) => stage.zoom(STEP),
  "=": (stage) => stage.fit(),
  R: (stage) => stage.rotate(-1),
  ArrowRight: (stage) => stage.move({ x: -MOVE_PX, y: 0 }),
  ArrowLeft: (stage) => stage.move({ x: MOVE_PX, y: 0 }),
  ArrowUp: (stage) => stage.move({ x: 0, y: MOVE_PX }),
  ArrowDown: (stage) => stage.move({ x: 0, y: -MOVE_PX }),
};

/** The next and the previous picture are there before they are asked for. */
function useNeighbours(assets: readonly (Asset | undefined)[]): void {
  const queries = useQueryClient();
  const ids = assets.flatMap((asset) => (asset?.webUrl == null ? [] : [asset.id])).join(" ");
  useEffect(() => {
    for (const id of ids.split(" ").filter(Boolean)) queries.query({ ...pictureQuery(Number(id), "web"), retry: false }).catch(() => undefined);
  }, [ids, queries]);
}

function Turner({ label, side, disabled, onClick }: { label: string; side: "start" | "end"; disabled: boolean; onClick: () => void }) {
  const Icon = side === "start" ? IconChevronLeft : IconChevronRight;
  return (
    <button type="button" className={classes.turner} data-side={side} aria-label={label} disabled={disabled} onClick={onClick}>
      <Icon size={26} stroke={1.5} aria-hidden />
    </button>
  );
}
