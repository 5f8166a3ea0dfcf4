/** Sources and runs: configure sources, start, watch and stop indexing, look back, read advice. */
import { Button, Stack, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { IconPlus, IconServerOff } from "@tabler/icons-react";
import { useState } from "react";

import { BackLink } from "@/components/back-link";
import { PageHead } from "@/components/page-head";
import { Empty, Failed, LoadingRows } from "@/components/states";
import { useFocusBack } from "@/components/use-focus-back";

import { RemoveSource } from "./remove-source";
import { RunHistory } from "./run-history";
import { RunPanel } from "./run-panel";
import { useRunsShown } from "./runs-shown";
import { SourceDialog } from "./source-dialog";
import { configQuery, sourcesQuery, type Source, type SourceConfig } from "./sources-api";
import { SourcesTable } from "./sources-table";
import { StartRun } from "./start-run";
import { Suggestions } from "./suggestions";
import classes from "./nas-index.module.css";

/** Which dialog is open: a new source, one of that name, or the question before removing it. */
type Opened = { edit: string | null; change?: Partial<SourceConfig> } | { remove: Source };

export function NasSourcesPage() {
  const sources = useQuery(sourcesQuery);
  const [opened, setOpened] = useState<Opened | null>(null);
  const items = sources.data?.items ?? [];
  const shown = useRunsShown(items);
  const add = () => setOpened({ edit: null });
  const close = () => setOpened(null);
  return (
    <>
      <BackLink to="/nas">NAS index</BackLink>
      <PageHead
        title="Sources and runs"
        lead="Text and paths are read from the NAS, never pixels, and nothing is ever written to it."
        actions={
          <Button leftSection={<IconPlus size={16} aria-hidden />} onClick={add}>
            Add a source
          </Button>
        }
      />
      {sources.isPending && <LoadingRows rows={5} />}
      {sources.isError && <Failed error={sources.error} retry={() => void sources.refetch()} />}
      {sources.isSuccess && (
        <Stack gap="xl">
          {shown.length > 0 && (
            <div className={classes.runs}>
              {shown.map((runId) => (
                <RunPanel key={runId} runId={runId} />
              ))}
            </div>
          )}
          <section>
            <Title order={2} mb="sm">
              Sources
            </Title>
            {items.length === 0 ? (
              <Empty title="No source yet" icon={<IconServerOff size={34} stroke={1.3} />} action={<Button onClick={add}>Add the first source</Button>}>
                A source is a mounted folder, a share or a server whose DICOM files are to be found. A folder that the server allows can be indexed below
                without configuring it.
              </Empty>
            ) : (
              <SourcesTable sources={items} onEdit={(name) => setOpened({ edit: name })} onRemove={(source) => setOpened({ remove: source })} />
            )}
          </section>
          <StartRun sources={items} />
          {items.some(({ last_run: run }) => run !== null) && <RunHistory sources={items.map(({ name }) => name)} />}
          {items.length > 0 && <Suggestions onAdd={add} onEdit={(name, change) => setOpened({ edit: name, change })} />}
        </Stack>
      )}
      {opened !== null && "remove" in opened && <RemoveSource source={opened.remove} onClose={close} />}
      {opened !== null && "edit" in opened && <Edited name={opened.edit} change={opened.change} onClose={close} />}
    </>
  );
}

/** The form opens when the configuration is there, as it is at the server now. */
function Edited({ name, change = {}, onClose }: { name: string | null; change: Partial<SourceConfig> | undefined; onClose: () => void }) {
  useFocusBack();
  const config = useQuery({ ...configQuery, staleTime: 0, gcTime: 0 });
  if (config.isError) return <Failed error={config.error} retry={() => void config.refetch()} />;
  if (config.isPending) return null;
  const others = config.data.sources.filter((each) => each.name !== name).map((each) => each.name);
  return <SourceDialog source={config.data.sources.find((each) => each.name === name) ?? null} change={change} taken={others} onClose={onClose} />;
}
