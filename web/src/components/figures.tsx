/** Counts side by side, each with its name; bad ones stand out as soon as there is one. */
import { count } from "@/lib/format";

import classes from "./figures.module.css";

export interface Figure {
  label: string;
  value: number;
  /** Whether anything above zero is bad news. */
  bad?: boolean;
}

export function Figures({ figures }: { figures: Figure[] }) {
  return (
    <dl className={classes.figures}>
      {figures.map(({ label, value, bad = false }) => (
        <div key={label} data-bad={(bad && value > 0) || undefined}>
          <dt>{label}</dt>
          <dd>{count(value)}</dd>
        </div>
      ))}
    </dl>
  );
}
