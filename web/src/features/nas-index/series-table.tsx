/** The rows of a search. */
import { Anchor, Badge, Group, Text } from "@mantine/core";
import type { KeyboardEvent } from "react";
import { Link } from "react-router";

import { RecordTable, type Column } from "@/components/record-table";
import { withQuery } from "@/lib/api/query";
import { count } from "@/lib/format";

import { IntegrityBadge, OfflineBadge, OrthancBadge } from "./badges";
import { dicomDate, dicomTime, personName } from "./dicom-words";
import type { Series } from "./nas-api";
import classes from "./nas-index.module.css";

export function SeriesTable({ series, stale, search }: { series: Series[]; stale: boolean; search: string }) {
  return <RecordTable caption="Series" columns={columns(search)} rows={series} rowKey={({ SeriesKey, source }) => `${SeriesKey} ${source}`} stale={stale} />;
}

/** Where one series stands; the search rides along so that the way back leads to the same rows. */
function columns(search: string): Column<Series>[] {
  return [
    {
      key: "patient",
      header: "Patient",
      phone: "lead",
      cell: (item) => (
        <>
          <Anchor
            component={Link}
            to={addressOf(item)}
            state={{ search }}
            className={classes.name}
            dir="auto"
            data-row-link
            onKeyDown={steer}
          >
            {personName(item.PatientName)}
          </Anchor>
          <Text size="sm" c="dimmed" component="div">
            {item.PatientID === "" ? "No patient id" : item.PatientID}
            {item.PatientBirthDate !== "" && ` · born ${dicomDate(item.PatientBirthDate)}`}
          </Text>
        </>
      ),
    },
    {
      key: "study",
      header: "Study",
      width: "8rem",
      cell: (item) => (
        <span className={classes.moment}>
          {dicomDate(item.StudyDate)}
          {dicomTime(item.StudyTime) !== "" && <Text component="span" size="sm" c="dimmed">{` ${dicomTime(item.StudyTime)}`}</Text>}
        </span>
      ),
    },
    {
      key: "what",
      header: "Description",
      width: "24%",
      cell: (item) => (
        <div className={classes.what}>
          <Text component="div" size="sm" dir="auto">
            {item.StudyDescription === "" ? item.SeriesDescription || "–" : item.StudyDescription}
          </Text>
          {item.StudyDescription !== "" && item.SeriesDescription !== "" && (
            <Text component="div" size="sm" c="dimmed" dir="auto">
              {item.SeriesDescription}
            </Text>
          )}
        </div>
      ),
    },
    { key: "modality", header: "Modality", width: "7.25rem", cell: (item) => (item.Modality === "" ? "–" : <Badge color="gray">{item.Modality}</Badge>) },
    { key: "files", header: "Files", width: "4.5rem", align: "right", cell: (item) => count(item.file_count) },
    {
      key: "source",
      header: "Source",
      width: "8rem",
      cell: (item) => (
        <Group gap={6}>
          <Text component="span" size="sm">
            {item.source}
          </Text>
          {!item.source_online && <OfflineBadge />}
        </Group>
      ),
    },
    {
      key: "state",
      header: "State",
      width: "8.5rem",
      cell: (item) => (
        <Group gap={6}>
          <IntegrityBadge integrity={item.integrity} />
          {item.in_orthanc && <OrthancBadge />}
        </Group>
      ),
    },
  ];
}

/** A series that lies on several sources is shown as this one has it. */
function addressOf({ SeriesKey, source, also_on }: Series): string {
  return withQuery(`/nas/series/${SeriesKey}`, { source: also_on.length > 0 ? source : "" });
}

/** On a row's name: arrows (or j and k) go to the next and previous one, Enter opens as any link. */
function steer(event: KeyboardEvent<HTMLAnchorElement>): void {
  const step = { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1 }[event.key];
  if (step === undefined) return;
  const links = [...document.querySelectorAll<HTMLElement>("[data-row-link]")];
  const next = links[links.indexOf(event.currentTarget) + step];
  if (next === undefined) return;
  event.preventDefault();
  next.focus();
}
