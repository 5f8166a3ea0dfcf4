/** Uploads that a reload or a closed window cut off: the same files, dropped again, go on where they stopped. */
import { Alert, Button, Group, Text } from "@mantine/core";
import { IconPlugConnectedX } from "@tabler/icons-react";

import { bytes } from "@/lib/format";

import { keptUploads, uploads, userNow, useUploads } from "./uploads";
import classes from "./imaging.module.css";

export function Interrupted({ patientId, onChoose }: { patientId: number; onChoose: () => void }) {
  const going = useUploads();
  const cut = keptUploads.of(userNow(), patientId).filter(({ uploadId }) => !going.some((each) => each.uploadId === uploadId));
  if (cut.length === 0) return null;
  return (
    <Alert my="md" color="yellow" variant="light" icon={<IconPlugConnectedX size={20} aria-hidden />} title={cut.length === 1 ? "An upload was cut off" : `${cut.length} uploads were cut off`}>
      <Text size="sm">Drop or choose the same {cut.length === 1 ? "file" : "files"} again: what the server has already is not sent twice.</Text>
      <ul className={classes.cut}>
        {cut.map((each) => (
          <li key={each.uploadId}>
            <span>
              <bdi>{each.fileName}</bdi>{" "}
              <Text component="span" size="sm" c="dimmed">
                {bytes(each.receivedBytes)} of {bytes(each.sizeBytes)} sent
              </Text>
            </span>
            <Button variant="subtle" color="gray" size="compact-sm" aria-label={`Give ${each.fileName} up`} onClick={() => uploads.abandon(each.uploadId)}>
              Give up
            </Button>
          </li>
        ))}
      </ul>
      <Group mt="xs">
        <Button variant="default" size="compact-md" onClick={onChoose}>
          Choose the {cut.length === 1 ? "file" : "files"}
        </Button>
      </Group>
    </Alert>
  );
}
