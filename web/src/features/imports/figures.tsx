/** The six outcomes of a run as figures. */
import type { ImportRun } from "./import-api";
import classes from "./figures.module.css";
import { OUTCOMES } from "./run-words";
import { count } from "@/lib/format";

export function Figures({ run }: { run: ImportRun }) {
  return (
    <dl className={classes.figures}>
      {OUTCOMES.map(({ key, label }) => (
        <div key={key} data-bad={(key === "failed" || key === "missing") && run[key] > 0 ? true : undefined}>
          <dt>{label}</dt>
          <dd>{count(run[key])}</dd>
        </div>
      ))}
    </dl>
  );
}
