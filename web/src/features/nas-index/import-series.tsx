/** Brings one series from the NAS into Orthanc, and shows how far it is. */
import { Alert, Button, Group, Paper, Progress, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { IconAlertTriangle, IconDownload, IconPlayerStop } from "@tabler/icons-react";
import { useEffect } from "react";

import { notifyFailed } from "@/components/notify";
import { Failed } from "@/components/states";
import { bytes, count, plural } from "@/lib/format";
import { useCan } from "@/lib/session/use-session";

import { importQuery, isMoving, useCancelImport, useCatalogueChanged, useImportSeries, type SeriesDetail, type SeriesImport } from "./nas-api";

export function ImportIntoOrthanc({ series }: { series: SeriesDetail }) {
  const mayImport = useCan("index.run");
  const job = useQuery(importQuery(series.SeriesKey));
  const begin = useImportSeries(series.SeriesKey, series.source);
  const state = job.data?.state ?? "none";
  const changed = useCatalogueChanged();
  useEffect(() => {
    if (state === "done") changed();
    // Once per end of an import, not on every new function.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [state]);
  if (job.isError) return <Failed error={job.error} retry={() => void job.refetch()} />;
  if (job.data !== undefined && isMoving(job.data)) return <Moving job={job.data} seriesKey={series.SeriesKey} mayStop={mayImport} />;
  return (
    <>
      {job.data !== undefined && <Ended job={job.data} />}
      {mayImport && (
        <Group>
          <Button
            leftSection={<IconDownload size={18} aria-hidden />}
            variant={series.in_orthanc ? "default" : "filled"}
            disabled={!series.source_online}
            loading={begin.isPending || job.isPending}
            onClick={() => begin.mutate(undefined, { onError: (error) => notifyFailed("The import did not start", error) })}
          >
            {series.in_orthanc ? "Import again" : "Import into Orthanc"}
          </Button>
          {series.in_orthanc && (
            <Text size="sm" c="dimmed">
              Orthanc has this series; importing again brings in what it lacks.
            </Text>
          )}
        </Group>
      )}
    </>
  );
}

function Moving({ job, seriesKey, mayStop }: { job: SeriesImport; seriesKey: string; mayStop: boolean }) {
  const cancel = useCancelImport(seriesKey);
  const waiting = job.state === "queued";
  return (
    <Paper p="lg" component="section" aria-label="Import into Orthanc">
      <Group justify="space-between" mb="sm" wrap="nowrap">
        <Text fw={550} aria-live="polite">
          {waiting ? "Waiting for its turn" : "Importing into Orthanc"}
        </Text>
        {mayStop && (
          <Button
            variant="default"
            leftSection={<IconPlayerStop size={16} aria-hidden />}
            loading={cancel.isPending}
            onClick={() => cancel.mutate(undefined, { onError: (error) => notifyFailed("The import goes on", error) })}
          >
            Cancel
          </Button>
        )}
      </Group>
      <Progress
        value={waiting || job.total === 0 ? 100 : (100 * job.done) / job.total}
        animated={waiting}
        striped={waiting}
        size="lg"
        aria-label="Progress of the import"
      />
      <Text size="sm" mt={6}>
        {count(job.done)} of {plural(job.total, "file")} · {bytes(job.bytes)}
      </Text>
    </Paper>
  );
}

function Ended({ job }: { job: SeriesImport }) {
  if (job.state === "none") return null;
  if (job.state === "done" && job.failed === 0) {
    return (
      <Text size="sm" c="dimmed" role="status">
        Imported: {plural(job.done, "file")}
        {job.alreadyThere > 0 ? `, ${count(job.alreadyThere)} of them were there already` : ""}.
      </Text>
    );
  }
  const title = job.state === "cancelled" ? "The import was cancelled" : job.state === "interrupted" ? "The import was cut off" : "Not everything was imported";
  return (
    <Alert variant="light" color={job.state === "failed" ? "red" : "yellow"} icon={<IconAlertTriangle size={18} />} title={title}>
      <Text size="sm">
        {count(job.done - job.failed)} of {plural(job.total, "file")} are in Orthanc. {job.message}
      </Text>
      {job.errors.slice(0, 5).map(({ path, message, suggestion }) => (
        <Text key={path} size="sm" mt={6}>
          {path}: {message} {suggestion}
        </Text>
      ))}
    </Alert>
  );
}
