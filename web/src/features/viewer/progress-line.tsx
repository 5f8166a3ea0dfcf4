/** How far a series has come: a bar, an icon and the words, in each place where a series is small. */
import { IconAlertTriangle, IconCircleCheck, IconCircleDashed, IconCloudOff, IconProgressDown } from "@tabler/icons-react";

import type { SeriesLoad } from "@/lib/frames/types";

import { progressOf, stateWords } from "./progress";
import classes from "./progress-line.module.css";
import { useLoad } from "./use-load";

interface ProgressLineProps {
  load: SeriesLoad | undefined;
  /** As long as the load is not there, or knows no number. */
  imageCount: number;
  /** Without the sentence below the bar: where there is no room for it. */
  small?: boolean;
}

export function ProgressLine({ load: given, imageCount, small = false }: ProgressLineProps) {
  const load = useLoad(given);
  const isKnown = load !== undefined && load.manifest !== null;
  const total = isKnown ? load.total : imageCount;
  const { stage, percent, words } = progressOf(load?.loaded ?? 0, total);
  const said = load === undefined ? "" : stateWords(load);
  const trouble = load?.state === "error" || load?.state === "offline" ? load.state : undefined;
  if (isKnown && load.total === 0) return <p className={classes.said}>No image that can be shown</p>;
  return (
    <div className={classes.progress} data-stage={stage} data-trouble={trouble}>
      <div className={classes.track} role="progressbar" aria-label={words} aria-valuemin={0} aria-valuemax={100} aria-valuenow={percent}>
        <span style={{ inlineSize: `${percent}%` }} />
      </div>
      <p className={classes.words}>
        <Mark stage={stage} trouble={trouble} />
        <span>{small ? words.replace(/ images? loaded$/, "") : words}</span>
      </p>
      {said !== "" && !small && <p className={classes.said}>{said}</p>}
    </div>
  );
}

function Mark({ stage, trouble }: { stage: string; trouble: "error" | "offline" | undefined }) {
  const look = { size: 14, stroke: 2, "aria-hidden": true, className: classes.mark };
  if (trouble === "error") return <IconAlertTriangle {...look} />;
  if (trouble === "offline") return <IconCloudOff {...look} />;
  if (stage === "all") return <IconCircleCheck {...look} />;
  return stage === "some" ? <IconProgressDown {...look} /> : <IconCircleDashed {...look} />;
}

