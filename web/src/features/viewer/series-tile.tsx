/** One series of the grid: what it shows, what it is, how far it has come. The whole of it leads into the viewer. */
import { Badge, Button, Tooltip } from "@mantine/core";
import { IconRefresh } from "@tabler/icons-react";
import type { KeyboardEvent } from "react";
import { Link } from "react-router";

import { plural } from "@/lib/format";
import type { SeriesLoad } from "@/lib/frames/types";
import { viewerPath } from "@/lib/viewer-address";

import { useDesk } from "./desk";
import { Preview } from "./preview";
import { ProgressLine } from "./progress-line";
import { PLACE_LABELS, placeHint, seriesName, type SeriesRow } from "./study-api";
import classes from "./study-page.module.css";
import { useLoad } from "./use-load";

export function SeriesTile({ studyUid, row, load: given }: { studyUid: string; row: SeriesRow; load: SeriesLoad | undefined }) {
  const { loader } = useDesk();
  const load = useLoad(given);
  return (
    <li className={classes.tile} data-series={row.seriesUid}>
      <Link to={viewerPath(studyUid, row.seriesUid)} className={classes.open} data-tile-link onKeyDown={steerTiles}>
        <Preview seriesUid={row.seriesUid} version={row.version} />
        <span className={classes.number}>{row.seriesNumber ?? "–"}</span>
        <strong className={classes.name}>
          <bdi>{seriesName(row)}</bdi>
        </strong>
      </Link>
      <p className={classes.facts}>
        {row.modality !== "" && <Badge color="gray">{row.modality}</Badge>}
        <span>{plural(row.imageCount, "image")}</span>
        {row.place !== "orthanc" && (
          <Tooltip label={placeHint(row)}>
            <Badge color="petrol" ms="auto" tabIndex={0}>
              {PLACE_LABELS[row.place]}
            </Badge>
          </Tooltip>
        )}
      </p>
      <div className={classes.progress}>
        <ProgressLine load={load} imageCount={row.imageCount} />
        {load?.state === "error" && (
          <Button
            size="compact-sm"
            variant="default"
            mt={6}
            leftSection={<IconRefresh size={14} aria-hidden />}
            aria-label={`Try again: ${seriesName(row)}`}
            onClick={() => loader.retry(load.ref)}
          >
            Try again
          </Button>
        )}
      </div>
    </li>
  );
}

const WAYS: Record<string, number> = { ArrowRight: 1, ArrowLeft: -1 };

/** Arrow keys lead from tile to tile, up and down by the columns that fit. */
function steerTiles(event: KeyboardEvent<HTMLElement>): void {
  if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
  const links = [...document.querySelectorAll<HTMLElement>("[data-tile-link]")];
  const top = links[0]?.getBoundingClientRect().top;
  const across = links.filter((link) => link.getBoundingClientRect().top === top).length;
  const by = WAYS[event.key] ?? { ArrowDown: across, ArrowUp: -across }[event.key];
  const next = by === undefined ? undefined : links[links.indexOf(event.currentTarget) + by];
  if (next === undefined) return;
  event.preventDefault();
  next.focus();
}
