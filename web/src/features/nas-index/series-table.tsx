/** The rows of a search. */
import { ActionIcon, Anchor, Badge, Group, Text, Tooltip } from "@mantine/core";
import { IconLink } from "@tabler/icons-react";
import { Link } from "react-router";

import { OpenInViewerIcon } from "@/components/open-in-viewer";
import { PersonName } from "@/components/person-name";
import { RecordTable, type Column } from "@/components/record-table";
import { steerRows } from "@/components/row-steering";
import { withQuery } from "@/lib/api/query";
import { dicomDate, dicomTime } from "@/lib/dicom";
import { count } from "@/lib/format";
import { useCan } from "@/lib/session/use-session";

import { IntegrityBadge, OfflineBadge, OrthancBadge } from "./badges";
import { ORTHANC, type Series } from "./nas-api";
import classes from "./nas-index.module.css";

export function SeriesTable({ series, stale, search }: { series: Series[]; stale: boolean; search: string }) {
  const mayShare = useCan("share.create");
  const shown = columns(search).filter(({ key }) => key !== "share" || mayShare);
  return <RecordTable caption="Series" columns={shown} rows={series} rowKey={({ SeriesKey, source }) => `${SeriesKey} ${source}`} stale={stale} />;
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
            data-row-link
            onKeyDown={steerRows}
          >
            <PersonName value={item.PatientName} />
          </Anchor>
          <Text size="sm" c="dimmed" component="div">
            <bdi>{item.PatientID === "" ? "No patient id" : item.PatientID}</bdi>
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
          <Text component="div" size="sm">
            <bdi>{item.StudyDescription === "" ? item.SeriesDescription || "–" : item.StudyDescription}</bdi>
          </Text>
          {item.StudyDescription !== "" && item.SeriesDescription !== "" && (
            <Text component="div" size="sm" c="dimmed">
              <bdi>{item.SeriesDescription}</bdi>
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
          {item.in_orthanc && item.source !== ORTHANC && <OrthancBadge />}
        </Group>
      ),
    },
    {
      key: "view",
      header: "",
      label: "View",
      width: "3.25rem",
      align: "right",
      cell: (item) =>
        item.StudyInstanceUID === "" || item.SeriesInstanceUID === "" ? null : (
          <OpenInViewerIcon studyUid={item.StudyInstanceUID} seriesUid={item.SeriesInstanceUID} what={item.SeriesDescription || item.Modality || "series"} />
        ),
    },
    {
      key: "share",
      header: "",
      label: "Share",
      width: "3.25rem",
      phone: "corner",
      align: "right",
      cell: (item) => (
        <Tooltip label="Create share link">
          <ActionIcon
            component={Link}
            to={withQuery("/shares/new", { series: item.SeriesKey })}
            state={{ back: withSearch("/nas", search) }}
            variant="subtle"
            color="gray"
            aria-label={`Create share link: ${item.SeriesDescription || item.Modality || "series"}`}
          >
            <IconLink size={18} />
          </ActionIcon>
        </Tooltip>
      ),
    },
  ];
}

function withSearch(path: string, search: string): string {
  return search === "" ? path : `${path}?${search}`;
}

/** A series that lies on several sources is shown as this one has it. */
function addressOf({ SeriesKey, source, also_on }: Series): string {
  return withQuery(`/nas/series/${SeriesKey}`, { source: also_on.length > 0 ? source : "" });
}
