/** Links made, downloads and refusals day by day, as bars; the same figures in words for who cannot see them. */
import { Group, VisuallyHidden } from "@mantine/core";

import { count } from "@/lib/format";

import { bars, type Series } from "./days";
import type { Day } from "./share-api";
import classes from "./shares.module.css";

const SERIES: readonly { name: Series; label: string }[] = [
  { name: "created", label: "Created" },
  { name: "downloads", label: "Downloads" },
  { name: "refused", label: "Refused" },
];

const WIDTH = 720;
const HEIGHT = 200;
const LEFT = 48;
const BOTTOM = 30;
const TOP = 14;

const day = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", timeZone: "UTC" });

export function DaysChart({ days }: { days: Day[] }) {
  const { most, boxes } = bars(days, WIDTH - LEFT, HEIGHT - TOP - BOTTOM);
  const first = days[0];
  const last = days.at(-1);
  return (
    <figure style={{ margin: 0 }}>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} className={classes.chart} aria-hidden focusable="false">
        {[0, most / 2, most].map((value) => {
          const y = TOP + (HEIGHT - TOP - BOTTOM) * (1 - value / most);
          return (
            <g key={value}>
              <line x1={LEFT} x2={WIDTH} y1={y} y2={y} className={classes.grid} />
              <text x={LEFT - 6} y={y + 4} textAnchor="end">
                {count(value)}
              </text>
            </g>
          );
        })}
        {boxes.map(({ name, x, y, width, height, place }) => (
          <rect key={`${place} ${name}`} x={LEFT + x} y={TOP + y} width={width} height={height} rx={1} className={classes[name]} />
        ))}
        {first !== undefined && last !== undefined && (
          <>
            <text x={LEFT} y={HEIGHT - 5}>
              {day.format(new Date(first.day))}
            </text>
            <text x={WIDTH} y={HEIGHT - 5} textAnchor="end">
              {day.format(new Date(last.day))}
            </text>
          </>
        )}
      </svg>
      <figcaption>
        <Group gap="lg" mt={6}>
          {SERIES.map(({ name, label }) => (
            <span key={name} className={classes.key}>
              <svg viewBox="0 0 10 10" aria-hidden focusable="false">
                <rect width="10" height="10" rx="2" className={classes[name]} />
              </svg>
              {label}
            </span>
          ))}
        </Group>
        <VisuallyHidden component="ul">
          {days
            .filter(({ created, downloads, refused }) => created + downloads + refused > 0)
            .map((each) => (
              <li key={each.day}>{`${day.format(new Date(each.day))}: ${each.created} created, ${each.downloads} downloads, ${each.refused} refused`}</li>
            ))}
        </VisuallyHidden>
      </figcaption>
    </figure>
  );
}
