/** The six outcomes of a run as figures. */
import { count } from "@/lib/format";

import classes from "./figures.module.css";
import type { ImportRun } from "./import-api";
import { FIGURES } from "./run-words";

export function Figures({ run }: { run: ImportRun }) {
  return (
    <dl className={classes.figures}>
      {FIGURES.map(({ key, label }) => (
        <div key={key} data-bad={(key === "failed" || key === "missing") && run[key] > 0 ? true : undefined}>
          <dt>{label}</dt>
          <dd>{count(run[key])}</dd>
        </div>
      ))}
    </dl>
  );
}
