/** One series, on the NAS or in Orthanc: what its headers say, whether it is whole, its files, and the way into Orthanc. */
import { Alert, Button, Group, Paper, Stack, Text, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { IconAlertTriangle, IconCloudOff, IconLink } from "@tabler/icons-react";
import { Link, useLocation, useParams, useSearchParams } from "react-router";

import { BackLink } from "@/components/back-link";
import { Facts } from "@/components/facts";
import { OpenInViewer } from "@/components/open-in-viewer";
import { PageHead } from "@/components/page-head";
import { Pager } from "@/components/pager";
import { RecordTable, type Column } from "@/components/record-table";
import { Failed, LoadingRows } from "@/components/states";
import { withQuery } from "@/lib/api/query";
import { dicomDate, dicomTime, personName } from "@/lib/dicom";
import { bytes, count, plural } from "@/lib/format";
import { useCan } from "@/lib/session/use-session";
import { ohifPath } from "@/lib/viewer-address";

import { IntegrityBadge, OfflineBadge, OrthancBadge } from "./badges";
import { sex, wholeness } from "./dicom-words";
import { ImportIntoOrthanc } from "./import-series";
import { FILES_AT_ONCE, ORTHANC, seriesQuery, type SeriesDetail, type SeriesFile } from "./nas-api";
import classes from "./nas-index.module.css";
import { useSiteTime } from "./use-site-time";

export function NasSeriesPage() {
  const { key = "" } = useParams();
  const [params, setParams] = useSearchParams();
  const page = pageOf(params);
  const found = useQuery(seriesQuery(key, params.get("source") ?? "", page));
  const { state } = useLocation() as { state: { search?: string } | null };
  const search = state?.search ?? "";

  function turn(next: number) {
    const address = new URLSearchParams(params);
    address.set("page", String(next));
    setParams(address, { state, preventScrollReset: true });
  }

  return (
    <>
      <BackLink to={search === "" ? "/nas" : `/nas?${search}`}>{search === "" ? "All series" : "Back to the search"}</BackLink>
      {found.isPending && <LoadingRows rows={6} />}
      {found.isError && <Failed error={found.error} retry={() => void found.refetch()} />}
      {found.isSuccess && <SeriesView item={found.data} page={page} onPage={turn} stale={found.isPlaceholderData} />}
    </>
  );
}

function pageOf(params: URLSearchParams): number {
  const page = Number(params.get("page") ?? "1");
  return Number.isInteger(page) && page >= 1 ? page : 1;
}

interface SeriesViewProps {
  item: SeriesDetail;
  page: number;
  onPage: (page: number) => void;
  stale: boolean;
}

function SeriesView({ item, page, onPage, stale }: SeriesViewProps) {
  const missing = wholeness(item);
  const told = useSiteTime();
  const mayShare = useCan("share.create");
  const lead = [item.Modality, item.StudyDescription, item.SeriesDescription].filter(Boolean).join(" · ");
  return (
    <article>
      <PageHead
        title={personName(item.PatientName)}
        lead={lead}
        actions={
          <>
            {item.StudyInstanceUID !== "" && item.SeriesInstanceUID !== "" && (
              <>
                {item.in_orthanc && (
                  <Button component="a" href={ohifPath(item.StudyInstanceUID)} variant="default">
                    Open in OHIF
                  </Button>
                )}
                <OpenInViewer studyUid={item.StudyInstanceUID} seriesUid={item.SeriesInstanceUID} />
              </>
            )}
            {mayShare && <ShareButton item={item} />}
          </>
        }
      />
      <Stack gap="lg">
        <Group gap={8}>
          <IntegrityBadge integrity={item.integrity} />
          {item.in_orthanc && <OrthancBadge />}
          {!item.source_online && <OfflineBadge />}
        </Group>
        {item.source !== ORTHANC && <ImportIntoOrthanc series={item} />}
        {!item.source_online && (
          <Alert variant="light" color="red" icon={<IconCloudOff size={18} />} title={`${item.source} is offline`}>
            What is known of it stays, and the files are within reach again when it is back.
          </Alert>
        )}
        {missing.length > 0 && (
          <Alert variant="light" color="yellow" icon={<IconAlertTriangle size={18} />} title={item.gaps.length > 0 ? "Images are missing" : "Some images are there more than once"}>
            {missing.map((sentence) => (
              <Text key={sentence} size="sm">
                {sentence}
              </Text>
            ))}
          </Alert>
        )}
        <div className={classes.columns}>
          <Facts
            title="Patient"
            facts={[
              ["Name", personName(item.PatientName)],
              ["Patient id", item.PatientID],
              ["Born", dicomDate(item.PatientBirthDate)],
              ["Sex", sex(item.PatientSex)],
              ["Medical aid", item.medical_aid],
            ]}
          />
          <Facts
            title="Study"
            facts={[
              ["Date", `${dicomDate(item.StudyDate)} ${dicomTime(item.StudyTime)}`.trim()],
              ["Description", item.StudyDescription],
              ["Accession", item.AccessionNumber],
              ["Institution", item.InstitutionName],
              ["Hospital", item.hospital],
              ["Hospital group", item.hospital_group],
              ["Study UID", item.StudyInstanceUID],
            ]}
          />
          <Facts
            title="Series"
            facts={[
              ["Number", item.SeriesNumber],
              ["Description", item.SeriesDescription],
              ["Modality", item.Modality],
              ["Body part", item.BodyPartExamined],
              ["Files", `${count(item.file_count)}, ${bytes(item.size_bytes)}`],
              ["Source", item.source],
              ["Also on", item.also_on.join(", ")],
              ["Last seen", told(item.last_seen)],
              ["Series UID", item.SeriesInstanceUID],
            ]}
          />
        </div>
        {item.duplicates.length > 0 && <Duplicates item={item} />}
        <section>
          <Title order={2} mb="sm">
            {plural(item.files_total, "file")}
          </Title>
          <RecordTable caption="Files" columns={FILES} rows={item.files} rowKey={({ path }) => path} stale={stale} />
          <Pager page={page} pageSize={FILES_AT_ONCE} total={item.files_total} onPage={onPage} />
        </section>
      </Stack>
    </article>
  );
}

function ShareButton({ item }: { item: SeriesDetail }) {
  const { pathname, search } = useLocation();
  return (
    <Button
      component={Link}
      to={withQuery("/shares/new", { series: item.SeriesKey })}
      state={{ back: pathname + search }}
      variant="default"
      leftSection={<IconLink size={16} aria-hidden />}
    >
      Create share link
    </Button>
  );
}

/** The first of the images that lie at several paths. */
function Duplicates({ item }: { item: SeriesDetail }) {
  return (
    <section>
      <Title order={2} mb="sm">
        Images at more than one path
      </Title>
      <ul className={classes.errors}>
        {item.duplicates.slice(0, 20).map(({ sop_instance_uid: uid, paths }) => (
          <li key={uid}>
            <Paper p="sm">
              {paths.map((path) => (
                <div key={path} className={classes.path} dir="ltr">
                  {path}
                </div>
              ))}
            </Paper>
          </li>
        ))}
      </ul>
    </section>
  );
}

const FILES: Column<SeriesFile>[] = [
  { key: "number", header: "Image", width: "5rem", align: "right", cell: (file) => file.instance_number ?? "–" },
  { key: "path", header: "Path", phone: "lead", cell: (file) => <bdi className={classes.path} dir="ltr">{file.path}</bdi> },
  { key: "size", header: "Size", width: "6.5rem", align: "right", cell: (file) => bytes(file.size) },
];
