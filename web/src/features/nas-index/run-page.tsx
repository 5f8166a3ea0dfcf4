/** One run: how it is going or how it ended, and everything that it could not read. */
import { useQuery } from "@tanstack/react-query";
import { Stack } from "@mantine/core";
import { useParams } from "react-router";

import { BackLink } from "@/components/back-link";
import { PageHead } from "@/components/page-head";
import { Failed, LoadingRows } from "@/components/states";
import { useCan } from "@/lib/session/use-session";

import { RunErrors } from "./run-errors";
import { RunPanel } from "./run-panel";
import { statusQuery } from "./runs-api";

export function NasRunPage() {
  const { runId = "" } = useParams();
  const mayRun = useCan("index.run");
  const run = useQuery(statusQuery(runId));
  return (
    <>
      <BackLink to={mayRun ? "/nas/sources" : "/nas"}>{mayRun ? "Sources and runs" : "NAS index"}</BackLink>
      {run.isPending && <LoadingRows rows={5} />}
      {run.isError && <Failed error={run.error} retry={() => void run.refetch()} />}
      {run.isSuccess && (
        <>
          <PageHead title="Index run" lead={run.data.source} />
          <Stack gap="xl">
            <RunPanel runId={runId} alone />
            <RunErrors key={runId} runId={runId} count={run.data.errors} />
          </Stack>
        </>
      )}
    </>
  );
}
