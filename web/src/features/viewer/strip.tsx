/** All series of the study beside the picture: each small, with how far it has come. */
import { useEffect, useRef } from "react";
import { Link, useLocation } from "react-router";

import { plural } from "@/lib/format";

import { Preview } from "./preview";
import { ProgressLine } from "./progress-line";
import { seriesName } from "./study-api";
import { useStudy } from "./study-room";
import classes from "./strip.module.css";

export function Strip({ seriesUid, pathOf }: { seriesUid: string; pathOf: (seriesUid: string) => string }) {
  const { series, loads } = useStudy();
  const { state } = useLocation() as { state: unknown };
  const here = useRef<HTMLAnchorElement>(null);
  useEffect(() => {
    // In braces: newer browsers give a promise back, which React would take for what cleans up.
    here.current?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }, [seriesUid, series]);
  if (series === null || series.length < 2) return null;
  return (
    <nav className={classes.strip} aria-label="Series">
      {series.map((row) => {
        const isHere = row.seriesUid === seriesUid;
        return (
          <Link
            key={row.seriesUid}
            ref={isHere ? here : undefined}
            to={pathOf(row.seriesUid)}
            state={state}
            className={classes.item}
            aria-current={isHere ? "true" : undefined}
            data-series={row.seriesUid}
            title={seriesName(row)}
          >
            <span className={classes.film}>
              <Preview seriesUid={row.seriesUid} version={row.version} />
              <span className={classes.number}>{row.seriesNumber ?? "–"}</span>
            </span>
            <span className={classes.name}>
              <bdi>{seriesName(row)}</bdi>
            </span>
            <span className={classes.unseen}>, {plural(row.imageCount, "image")}</span>
            <ProgressLine load={loads.get(row.seriesUid)} imageCount={row.imageCount} small />
          </Link>
        );
      })}
    </nav>
  );
}
