/** What a link gives: the series in a few words, a small picture, the download. */
import { Button, Text } from "@mantine/core";
import { IconDownload, IconPhoto, IconPhotoScan } from "@tabler/icons-react";
import { useState } from "react";
import { Link } from "react-router";

import { PersonName } from "@/components/person-name";
import { dicomDate } from "@/lib/dicom";
import { bytes, plural } from "@/lib/format";

import { addressOf, useRefreshHeld, type Held } from "./held-api";
import { Ends } from "./landing-ends";
import { LandingFiles } from "./landing-files";
import { seriesWords } from "./share-words";
import { useLatePicture } from "./use-late-picture";
import classes from "./landing.module.css";

/** By then the server has counted the download. */
const COUNTED_MS = 4_000;

export function LandingSeries({ held }: { held: Held }) {
  const { series } = held;
  const [filesShown, setFilesShown] = useState(false);
  const isUsedUp = held.downloads_left === 0;
  return (
    <section className={classes.card}>
      <Thumbnail id={held.id} />
      <div className={classes.body}>
        <h1 className={classes.title}>
          <bdi>{seriesWords(series)}</bdi>
        </h1>
        {series.PatientName !== undefined && series.PatientName !== "" && (
          <Text mt={4}>
            <PersonName value={series.PatientName} />
          </Text>
        )}
        <dl className={classes.facts}>
          {series.StudyDate !== undefined && series.StudyDate !== "" && <Fact name="Date">{dicomDate(series.StudyDate)}</Fact>}
          <Fact name="Files">{plural(held.file_count, "file")}</Fact>
          <Fact name="Size">{bytes(held.size_bytes)}</Fact>
          {held.downloads_left !== null && <Fact name="Left">{plural(held.downloads_left, "download")}</Fact>}
        </dl>
        {held.deidentified && (
          <Text size="sm" c="dimmed" mb="md">
            De-identified: name, birth date and numbers were taken out.
          </Text>
        )}
        {held.series_uid !== "" && (
          <Button
            component={Link}
            to={`/shared/${encodeURIComponent(held.id)}/view`}
            size="xl"
            fullWidth
            mb="sm"
            variant="default"
            leftSection={<IconPhotoScan size={22} aria-hidden />}
          >
            Open in viewer
          </Button>
        )}
        {isUsedUp ? (
          <Text mb="md">
            All downloads of this link were begun. One that was cut off can go on from your browser’s list of downloads.
          </Text>
        ) : (
          <Download held={held} />
        )}
        {(filesShown || !isUsedUp) && <LandingFiles held={held} opened={filesShown} onOpen={() => setFilesShown(true)} />}
        <Ends expiresAt={held.expires_at} />
      </div>
      <Text size="xs" c="dimmed" className={classes.foot}>
        The zip holds DICOM files: any DICOM viewer opens them. They are somebody’s medical images, so please do not pass the link on.
      </Text>
    </section>
  );
}

/** A plain link: the browser downloads by itself, shows how far it is and takes a cut one up again. */
function Download({ held }: { held: Held }) {
  const refresh = useRefreshHeld(held.id);
  return (
    <Button
      component="a"
      href={addressOf(held.id, "zip")}
      download
      size="xl"
      fullWidth
      mb="sm"
      leftSection={<IconDownload size={22} aria-hidden />}
      onClick={() => {
        if (held.downloads_left !== null) setTimeout(() => void refresh(), COUNTED_MS);
      }}
    >
      Download ({bytes(held.size_bytes)})
    </Button>
  );
}

/** The middle image; where there is none, or not yet, the place stays dark. */
function Thumbnail({ id }: { id: string }) {
  const address = addressOf(id, "thumbnail");
  const { attempt, failed, onError } = useLatePicture(address);
  return (
    <div className={classes.film}>
      {failed ? (
        <IconPhoto size={44} stroke={1} role="img" aria-label="No picture of this series" />
      ) : (
        <img key={attempt} src={address} alt="The middle image of the series" onError={onError} />
      )}
    </div>
  );
}

function Fact({ name, children }: { name: string; children: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
