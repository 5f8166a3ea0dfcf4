/** One study of a patient: what it is, when it was taken, its pictures. */
import { Badge, Button, Group, Text, Title } from "@mantine/core";
import { IconPlus } from "@tabler/icons-react";
import { Link } from "react-router";

import { plural } from "@/lib/format";

import type { Asset, Study } from "./imaging-api";
import { assetName, dayOf, kindWords, studyTitle } from "./kinds";
import { Thumb } from "./thumb";
import { steerTiles } from "./tile-steering";
import classes from "./imaging.module.css";

interface StudySectionProps {
  study: Study;
  addressOf: (asset: Asset) => string;
  onAdd: (() => void) | null;
}

export function StudySection({ study, addressOf, onAdd }: StudySectionProps) {
  const title = studyTitle(study);
  const hasOwnTitle = title !== kindWords(study.kind);
  return (
    <section aria-label={`${title}, ${dayOf(study.capturedAt)}`} className={classes.study}>
      <Group justify="space-between" mb="sm" gap="sm" wrap="nowrap" align="flex-start">
        <div className={classes.uploadName}>
          <Group gap="xs">
            <Title order={2} fz="h3">
              <bdi>{title}</bdi>
            </Title>
            {hasOwnTitle && <Badge color="gray">{kindWords(study.kind)}</Badge>}
          </Group>
          <Text size="sm" c="dimmed">
            {dayOf(study.capturedAt)} · {plural(study.assets.length, "picture")}
          </Text>
        </div>
        {onAdd !== null && (
          <Button variant="subtle" size="compact-sm" leftSection={<IconPlus size={15} aria-hidden />} onClick={onAdd} flex="none" aria-label={`Add to ${title}, ${dayOf(study.capturedAt)}`}>
            Add
          </Button>
        )}
      </Group>
      {study.assets.length === 0 ? (
        <Text size="sm" c="dimmed">
          Nothing is filed here.
        </Text>
      ) : (
        <ul className={classes.tiles}>
          {study.assets.map((asset) => (
            <li key={asset.id}>
              <Link
                to={addressOf(asset)}
                preventScrollReset
                className={classes.tile}
                data-tile={asset.id}
                onKeyDown={steerTiles}
                aria-label={`Open ${assetName(asset)}`}
              >
                <Thumb asset={asset} decorative />
                <span className={classes.tileName}>
                  <bdi>{assetName(asset)}</bdi>
                </span>
                {asset.dicomInstanceId !== null && (
                  <Badge className={classes.mark} size="xs" color="petrol">
                    DICOM
                  </Badge>
                )}
              </Link>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
