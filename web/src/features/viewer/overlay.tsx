/** Words over the picture, in its corners and at its edges; none of them takes the mouse away from it. */
import { describe } from "@/lib/frames/describe";
import type { Manifest } from "@/lib/frames/types";

import { edgeLetters } from "./edges";
import { cornersOf, greyWords } from "./overlay-words";
import classes from "./overlay.module.css";
import { useViewing } from "./use-viewing";
import type { Viewing } from "./viewing";

export function Overlay({ manifest, viewing, probe }: { manifest: Manifest; viewing: Viewing; probe: string }) {
  const { index, screen, edges } = useViewing(viewing);
  const frame = describe(manifest, index);
  if (frame === null) return null;
  const { topLeft, topRight, bottomLeft } = cornersOf(manifest, frame);
  const [top, right, bottom, left] = edgeLetters(frame.imageOrientationPatient, edges);
  return (
    <div className={classes.overlay} data-overlay>
      <Corner lines={topLeft} at="topLeft" />
      <Corner lines={topRight} at="topRight" />
      <Corner lines={bottomLeft} at="bottomLeft" />
      <Corner
        lines={[
          probe,
          screen === null ? "" : greyWords(manifest, screen),
          screen === null ? "" : `${Math.round(screen.zoom * 100)} %`,
          `${frame.columns} × ${frame.rows}`,
        ].filter((line) => line !== "")}
        at="bottomRight"
      />
      <span className={classes.edge} data-edge="top" aria-hidden>{top}</span>
      <span className={classes.edge} data-edge="right" aria-hidden>{right}</span>
      <span className={classes.edge} data-edge="bottom" aria-hidden>{bottom}</span>
      <span className={classes.edge} data-edge="left" aria-hidden>{left}</span>
    </div>
  );
}

function Corner({ lines, at }: { lines: readonly string[]; at: "topLeft" | "topRight" | "bottomLeft" | "bottomRight" }) {
  return (
    <p className={classes.corner} data-at={at}>
      {lines.map((line, at) => (
        <bdi key={at}>{line}</bdi>
      ))}
    </p>
  );
}
