/** Make a link: which series, how long, for whom. Comes from a search, a series, a study or Orthanc Explorer, all by the address. */
import { Button, Paper, Radio, Stack, Text, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { IconPhotoOff, IconSearch } from "@tabler/icons-react";
import { useState } from "react";
import { Link, useLocation, useSearchParams } from "react-router";

import { BackLink } from "@/components/back-link";
import { PageHead } from "@/components/page-head";
import { PersonName } from "@/components/person-name";
import { Empty, Failed, LoadingRows } from "@/components/states";
import { dicomDate } from "@/lib/dicom";
import { bytes, plural } from "@/lib/format";

import { MadeLink, type Made } from "./made-link";
import { seriesByKeyQuery, seriesOfStudyQuery, type ShareableSeries } from "./series-to-share";
import { ShareForm } from "./share-form";
import { seriesWords } from "./share-words";
import classes from "./shares.module.css";

export function NewSharePage() {
  const [params] = useSearchParams();
  const key = params.get("series") ?? "";
  const study = params.get("study") ?? "";
  const address = `${key} ${study}`;
  // Another series in the address is another link to make.
  return <NewShare key={address} seriesKey={key} study={study} />;
}

function NewShare({ seriesKey, study }: { seriesKey: string; study: string }) {
  const { state } = useLocation() as { state: { back?: string } | null };
  const found = useQuery({
    ...(seriesKey === "" ? seriesOfStudyQuery(study) : seriesByKeyQuery(seriesKey)),
    enabled: seriesKey !== "" || study !== "",
    // A form is being filled in: nothing moves under it.
    refetchOnWindowFocus: false,
  });
  const [made, setMade] = useState<Made | null>(null);
  const back = state?.back;
  if (made !== null) return <MadeLink made={made} back={back} />;
  return (
    <>
      <BackLink to={back ?? "/shares"}>{back === undefined ? "My links" : "Back"}</BackLink>
      <PageHead title="Share by link" lead="Whoever holds the link can download this series, and nothing else, until the link ends." />
      {seriesKey === "" && study === "" && <NothingNamed />}
      {found.isLoading && <LoadingRows rows={4} />}
      {found.isError && <Failed error={found.error} retry={() => void found.refetch()} />}
      {found.isSuccess && <Choice series={found.data} onMade={setMade} />}
    </>
  );
}

function Choice({ series, onMade }: { series: ShareableSeries[]; onMade: (made: Made) => void }) {
  const [first] = series;
  const [key, setKey] = useState(series.length === 1 ? (first?.key ?? "") : "");
  const chosen = series.find((each) => each.key === key);
  if (first === undefined) {
    return (
      <Empty
        title="No such series"
        icon={<IconPhotoOff size={34} stroke={1.3} />}
        action={
          <Button component={Link} to="/nas" variant="default">
            Search the NAS index
          </Button>
        }
      >
        Neither Orthanc nor the NAS index has it, or no longer.
      </Empty>
    );
  }
  return (
    <Stack gap="lg" className={classes.narrow}>
      {series.length === 1 ? (
        <Paper p="lg" component="section" aria-label="Series">
          <SeriesLines series={first} />
        </Paper>
      ) : (
        <Radio.Group value={key} onChange={setKey} label="Which series of this study?" description="A link opens one series. Make one for each that is needed.">
          <Stack gap="xs" mt="sm">
            {series.map((each) => (
              <Radio.Card key={each.key} value={each.key} className={classes.choice}>
                <Radio.Indicator />
                <div>
                  <SeriesLines series={each} />
                </div>
              </Radio.Card>
            ))}
          </Stack>
        </Radio.Group>
      )}
      {chosen !== undefined && <ShareForm key={chosen.key} series={chosen} onMade={onMade} />}
    </Stack>
  );
}

function SeriesLines({ series }: { series: ShareableSeries }) {
  const { facts } = series;
  return (
    <>
      <Title order={2} fz="h3">
        <PersonName value={facts.PatientName ?? ""} />
      </Title>
      <Text size="sm">
        <bdi>{seriesWords(facts)}</bdi>
      </Text>
      <Text size="sm" c="dimmed">
        {[
          dicomDate(facts.StudyDate ?? ""),
          facts.SeriesNumber === undefined || facts.SeriesNumber === "" ? "" : `series ${facts.SeriesNumber}`,
          plural(series.fileCount, "file"),
          series.sizeBytes === null ? "" : bytes(series.sizeBytes),
          series.source === "" ? "in Orthanc" : `on ${series.source}`,
        ]
          .filter(Boolean)
          .join(" · ")}
      </Text>
      {!series.isOnline && (
        <Text size="sm" c="red">
          {series.source} is offline: the link works when it is back.
        </Text>
      )}
    </>
  );
}

function NothingNamed() {
  return (
    <Empty
      title="Which series?"
      icon={<IconSearch size={34} stroke={1.3} />}
      action={
        <Button component={Link} to="/nas">
          Search the NAS index
        </Button>
      }
    >
      Find the series first; “Create share link” stands in its row and on its page.
    </Empty>
  );
}
