/** The files of the dialog, each with a look at it where the browser can give one, and with what speaks against it. */
import { ActionIcon, Text } from "@mantine/core";
import { IconAlertCircle, IconFileText, IconPhoto, IconX } from "@tabler/icons-react";

import { BlobImage } from "@/components/blob-image";
import { bytes } from "@/lib/format";

import type { Checked } from "./check-file";
import { typeWords } from "./file-types";
import classes from "./imaging.module.css";

/** What every browser shows; larger files would only slow the dialog down. */
const SHOWN = ["image/jpeg", "image/png", "image/webp"];
const MOST_SHOWN_BYTES = 20_000_000;

export function ChosenFiles({ files, onRemove }: { files: readonly Checked[]; onRemove: (key: string) => void }) {
  return (
    <ul className={classes.chosen} aria-label="Files">
      {files.map((each) => (
        <li key={each.key} data-bad={each.problem !== null || undefined}>
          <Look checked={each} />
          <div className={classes.uploadName}>
            <Text size="sm" fw={550} truncate>
              <bdi>{each.name}</bdi>
            </Text>
            {each.problem === null ? (
              <Text size="xs" c="dimmed">
                {typeWords(each.mimeType)}
                {each.file !== null && ` · ${bytes(each.file.size)}`}
              </Text>
            ) : (
              <Text size="sm" c="red" role="alert">
                {each.problem}
              </Text>
            )}
          </div>
          <ActionIcon variant="subtle" color="gray" aria-label={`Leave ${each.name} out`} onClick={() => onRemove(each.key)}>
            <IconX size={16} stroke={1.6} />
          </ActionIcon>
        </li>
      ))}
    </ul>
  );
}

function Look({ checked: { file, mimeType, problem } }: { checked: Checked }) {
  const isShown = file !== null && SHOWN.includes(mimeType) && file.size <= MOST_SHOWN_BYTES;
  const look = { size: 22, stroke: 1.4, "aria-hidden": true };
  if (problem !== null) return <span className={classes.look}><IconAlertCircle {...look} /></span>;
  if (isShown) {
    return (
      <span className={classes.look}>
        <BlobImage blob={file} alt="" />
      </span>
    );
  }
  return <span className={classes.look}>{mimeType === "application/pdf" ? <IconFileText {...look} /> : <IconPhoto {...look} />}</span>;
}
