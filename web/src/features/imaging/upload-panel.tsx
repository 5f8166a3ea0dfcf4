/** What is on its way: each file with how far it is, and what can be done about it. */
import { ActionIcon, Button, Group, Paper, Progress, Text, Title, Tooltip, VisuallyHidden } from "@mantine/core";
import { IconPlayerPause, IconPlayerPlay, IconRefresh, IconX } from "@tabler/icons-react";
import type { ReactNode } from "react";

import { RequestId } from "@/components/states";
import { bytes } from "@/lib/format";

import { mayBeMended, type Upload } from "./upload-queue";
import { panelWords, percentOf, stateWords } from "./upload-words";
import { uploads, useUploads } from "./uploads";
import classes from "./imaging.module.css";

/** `patientId`: whose page it stands on; files of others say whose they are. */
export function UploadPanel({ patientId }: { patientId?: number }) {
  const all = useUploads();
  if (all.length === 0) return null;
  const done = all.filter(({ state }) => state === "done").length;
  return (
    <Paper p="lg" my="lg" component="section" aria-label="Uploads">
      <Group justify="space-between" mb="sm">
        <Title order={2} fz="h3">
          Uploads
        </Title>
        {done > 0 && (
          <Button variant="subtle" color="gray" size="compact-sm" onClick={() => uploads.clearDone()}>
            Clear what is filed
          </Button>
        )}
      </Group>
      <VisuallyHidden role="status">{panelWords(all)}</VisuallyHidden>
      <ul className={classes.uploads}>
        {all.map((upload) => (
          <Row key={upload.id} upload={upload} whose={upload.patientId === patientId ? "" : `Patient ${upload.patientId} · `} />
        ))}
      </ul>
    </Paper>
  );
}

function Row({ upload, whose }: { upload: Upload; whose: string }) {
  const { file, state, sentBytes, error, studyWords } = upload;
  const isMoving = state === "finishing" || (state === "sending" && sentBytes === 0);
  return (
    <li data-state={state}>
      <div className={classes.uploadHead}>
        <div className={classes.uploadName}>
          <Text size="sm" fw={550} truncate>
            <bdi>{file.name}</bdi>
          </Text>
          <Text size="xs" c="dimmed" truncate>
            {whose}
            <bdi>{studyWords}</bdi>
          </Text>
        </div>
        <Text size="sm" className={classes.uploadState} c={state === "failed" ? "red" : state === "done" ? "var(--rr-good)" : "dimmed"}>
          {stateWords(upload)}
        </Text>
        <Acts upload={upload} />
      </div>
      {state !== "done" && state !== "failed" && (
        <>
          <Progress
            value={percentOf(upload)}
            size="sm"
            mt={6}
            color={state === "waiting" ? "yellow" : state === "paused" ? "gray" : undefined}
            striped={isMoving}
            animated={isMoving}
            aria-label={`Progress of ${file.name}`}
          />
          <Text size="xs" c="dimmed" mt={4} className={classes.figures}>
            {bytes(sentBytes)} of {bytes(file.size)}
          </Text>
        </>
      )}
      {error !== null && state === "failed" && (
        <div role="alert">
          <Text size="sm" c="red">
            {error.message}
          </Text>
          <RequestId error={error} />
        </div>
      )}
    </li>
  );
}

function Acts({ upload }: { upload: Upload }) {
  const { id, state, error, file } = upload;
  if (state === "done" || state === "finishing") return null;
  return (
    <Group gap={2} wrap="nowrap">
      {(state === "sending" || state === "waiting" || state === "queued") && (
        <Act label={`Pause ${file.name}`} icon={<IconPlayerPause size={17} stroke={1.6} />} onClick={() => uploads.pause(id)} />
      )}
      {state === "paused" && <Act label={`Go on with ${file.name}`} icon={<IconPlayerPlay size={17} stroke={1.6} />} onClick={() => uploads.resume(id)} />}
      {state === "failed" && error !== null && mayBeMended(error) && (
        <Act label={`Try ${file.name} again`} icon={<IconRefresh size={17} stroke={1.6} />} onClick={() => uploads.resume(id)} />
      )}
      <Act
        label={state === "failed" ? `Take ${file.name} off the list` : `Cancel ${file.name}`}
        icon={<IconX size={17} stroke={1.6} />}
        onClick={() => uploads.remove(id)}
      />
    </Group>
  );
}

function Act({ label, icon, onClick }: { label: string; icon: ReactNode; onClick: () => void }) {
  return (
    <Tooltip label={label}>
      <ActionIcon variant="subtle" color="gray" size="lg" aria-label={label} onClick={onClick}>
        {icon}
      </ActionIcon>
    </Tooltip>
  );
}
