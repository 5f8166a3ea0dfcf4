/** The grid of a study: one small picture for each series, all of them loading in the background. */
import { Button, Group, Skeleton, Text, Title, VisuallyHidden } from "@mantine/core";
import { useDocumentTitle } from "@mantine/hooks";
import { IconPhotoOff } from "@tabler/icons-react";
import { useEffect, type ReactNode } from "react";

import { Shortcuts, type Shortcut } from "@/components/shortcuts";
import { Empty, Failed } from "@/components/states";
import { startEarly } from "@/lib/cornerstone/early";
import { count, plural } from "@/lib/format";

import { OhifLink } from "./ohif-link";
import { SeriesTile } from "./series-tile";
import { SettingsButton } from "./settings-dialog";
import type { SeriesRow } from "./study-api";
import { useStudy, type Study } from "./study-room";
import { firstManifest, momentWords, patientWords } from "./study-words";
import classes from "./study-page.module.css";
import { useAnyLoad } from "./use-any-load";

const KEYS: readonly Shortcut[] = [
  [["←", "→", "↑", "↓"], "Go from series to series"],
  [["Enter"], "Open the series"],
];

export function StudyPage() {
  // Of no patient: titles stand in histories and on shared screens.
  useDocumentTitle("Study · Reading Room");
  const study = useStudy();
  useAnyLoad(study.loads);
  useReadyToDraw(study.series !== null);
  if (study.error !== null) return <Failed error={study.error} retry={study.retry} />;
  return (
    <article>
      <Head study={study} />
      {study.series === null ? <Waiting /> : <Grid study={study} series={study.series} />}
    </article>
  );
}

/** What draws is large: it comes while one chooses a series, after the small pictures. */
const CALM_MS = 1_500;

function useReadyToDraw(isListed: boolean): void {
  useEffect(() => {
    if (!isListed) return;
    const timer = setTimeout(startEarly, CALM_MS);
    return () => clearTimeout(timer);
  }, [isListed]);
}

function Head({ study }: { study: Study }) {
  const manifest = firstManifest(study.loads);
  const title = manifest?.study.description.trim() ?? "";
  return (
    <Group justify="space-between" align="flex-end" gap="md" mb="lg" className={classes.head}>
      <div>
        <Title order={1}>
          <bdi>{title === "" ? "Study" : title}</bdi>
        </Title>
        <Text c="dimmed" mt={4} component="div" mih="1.55em">
          {manifest !== null && (
            <bdi>{[patientWords(manifest), momentWords(manifest), manifest.study.institution.trim()].filter((words) => words !== "").join(" · ")}</bdi>
          )}
        </Text>
      </div>
      <Group gap="xs">
        <OhifLink studyUid={study.studyUid} series={study.series ?? []}>
          {(address) => (
            <Button component="a" href={address} variant="default">
              Open in OHIF
            </Button>
          )}
        </OhifLink>
        <SettingsButton />
        <Shortcuts keys={KEYS} />
      </Group>
    </Group>
  );
}

function Grid({ study, series }: { study: Study; series: SeriesRow[] }) {
  if (series.length === 0) {
    return (
      <Empty title="No images in this study" icon={<IconPhotoOff size={34} stroke={1.3} />}>
        What arrives while this page is open appears by itself.
      </Empty>
    );
  }
  return (
    <>
      <Summary study={study} series={series} />
      <ul className={classes.grid} aria-label="Series">
        {series.map((row) => (
          <SeriesTile key={row.seriesUid} studyUid={study.studyUid} row={row} load={study.loads.get(row.seriesUid)} />
        ))}
      </ul>
    </>
  );
}

/** The study as a whole; told aloud at every tenth, never each image. */
function Summary({ study, series }: { study: Study; series: SeriesRow[] }): ReactNode {
  let loaded = 0;
  let total = 0;
  for (const { seriesUid, imageCount } of series) {
    const load = study.loads.get(seriesUid);
    loaded += load?.loaded ?? 0;
    total += load === undefined || load.manifest === null ? imageCount : load.total;
  }
  const tenths = total === 0 ? 0 : Math.floor((10 * loaded) / total);
  return (
    <>
      <Text size="sm" c="dimmed" mb="sm" className={classes.sum}>
        {plural(series.length, "series", "series")} · {count(loaded)} of {plural(total, "image")} loaded
      </Text>
      <VisuallyHidden role="status">{tenths === 10 ? "All images are loaded" : `${tenths * 10} percent of the images are loaded`}</VisuallyHidden>
    </>
  );
}

function Waiting() {
  return (
    <div className={classes.grid} role="status" aria-label="Loading the series">
      {Array.from({ length: 6 }, (_, nth) => (
        <div key={nth} className={classes.tile}>
          <Skeleton className={classes.film} radius={0} />
          <div className={classes.facts}>
            <Skeleton height={14} width="70%" />
          </div>
          <div className={classes.progress}>
            <Skeleton height={10} />
          </div>
        </div>
      ))}
    </div>
  );
}
