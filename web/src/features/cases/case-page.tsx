/** One case: what is known of the patient, and the images to take along. */
import { Badge, Box, Button, Group, Paper, Skeleton, Stack, Text, Title, Tooltip } from "@mantine/core";
import { useDocumentTitle } from "@mantine/hooks";
import { IconDownload, IconPhotoOff } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useParams } from "react-router";

import { BackLink } from "@/components/back-link";
import { FilmLabel } from "@/components/film-label";
import { OpenInViewer } from "@/components/open-in-viewer";
import { Failed } from "@/components/states";
import type { Case } from "@/lib/api/types";
import { caseQuery } from "@/lib/case-list";
import { bytes, caseNumber, count, plural, time } from "@/lib/format";

import classes from "./case-page.module.css";
import { isSelectable } from "./selection";
import { useDownload } from "./use-download";

export function CasePage() {
  const { id = "" } = useParams();
  const found = useQuery(caseQuery(id));
  useDocumentTitle(found.data === undefined ? "Case · Reading Room" : `${caseNumber(found.data.caseNumber)} ${found.data.title} · Reading Room`);
  return (
    <>
      <BackLink to="/cases">All cases</BackLink>
      {found.isPending && <Loading />}
      {found.isError && <Failed error={found.error} retry={() => void found.refetch()} />}
      {found.isSuccess && <CaseView item={found.data} />}
    </>
  );
}

function CaseView({ item }: { item: Case }) {
  return (
    <article>
      <Group justify="space-between" align="flex-end" mb="xl" gap="md">
        <Box maw={720}>
          <Group gap="sm" mb={6}>
            <FilmLabel examType={item.examType} number={item.caseNumber} large />
            {!item.published && <Badge color="yellow">Not published</Badge>}
          </Group>
          <Title order={1}>{item.title === "" ? `Case ${caseNumber(item.caseNumber)}` : item.title}</Title>
        </Box>
        <Actions item={item} />
      </Group>
      <div className={classes.columns}>
        <Paper p="lg" className={classes.text}>
          <Title order={2} fz="h3" mb="sm">
            Clinical information
          </Title>
          {item.text.trim() === "" ? (
            <Text c="dimmed">The author has written nothing for this case. The images speak for themselves.</Text>
          ) : (
            <Text className={classes.reading}>{item.text}</Text>
          )}
        </Paper>
        <Facts item={item} />
      </div>
    </article>
  );
}

/** What one can do with a case: look at it here, or take it along. */
function Actions({ item }: { item: Case }) {
  const download = useDownload();
  if (!isSelectable(item)) return null;
  return (
    <Group gap="xs">
      {item.studyUids.map((studyUid, place) => (
        <OpenInViewer key={studyUid} studyUid={studyUid} size="md">
          {item.studyUids.length === 1 ? "Open in viewer" : `Study ${place + 1} in viewer`}
        </OpenInViewer>
      ))}
      <Tooltip label={`${bytes(item.totalSizeBytes)} in ${plural(item.fileCount, "file")}`}>
        <Button size="md" variant="default" leftSection={<IconDownload size={18} />} loading={download.isPending} onClick={() => download.mutate([item.id])}>
          Download DICOMs
        </Button>
      </Tooltip>
    </Group>
  );
}

function Facts({ item }: { item: Case }) {
  const facts: [string, string][] = [
    ["Exam", item.examType],
    ["Number", caseNumber(item.caseNumber)],
  ];
  if (isSelectable(item)) {
    facts.push(
      ["Files", count(item.fileCount)],
      ["Size", bytes(item.totalSizeBytes)],
      ["Studies", count(item.studyUids.length)],
    );
  }
  facts.push(["Last changed", time(item.updatedAt)]);
  return (
    <Paper p="lg" component="aside" aria-label="Facts">
      <dl className={classes.facts}>
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      {!isSelectable(item) && (
        <Group gap="xs" mt="md" wrap="nowrap" c="dimmed">
          <IconPhotoOff size={20} stroke={1.5} aria-hidden />
          <Text size="sm">The images of this case have not been imported yet. Look in again later.</Text>
        </Group>
      )}
    </Paper>
  );
}

function Loading() {
  return (
    <Stack role="status" aria-label="Loading the case">
      <Skeleton height={18} width={120} />
      <Skeleton height={40} width="55%" mb="lg" />
      <Skeleton height={220} />
    </Stack>
  );
}
