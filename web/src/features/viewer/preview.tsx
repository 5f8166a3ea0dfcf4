/** The middle image of a series, small, on its dark ground. */
import { Skeleton } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { IconPhotoOff } from "@tabler/icons-react";

import { BlobImage } from "@/components/blob-image";

import { useDesk } from "./desk";
import classes from "./preview.module.css";
import { thumbnailQuery } from "./study-api";
import { useStudy } from "./study-room";

export function Preview({ seriesUid, version }: { seriesUid: string; version: string }) {
  const desk = useDesk();
  const { studyUid } = useStudy();
  const found = useQuery(thumbnailQuery(desk, { studyUid, seriesUid }, version));
  return (
    <span className={classes.film}>
      {found.isPending && <Skeleton className={classes.wait} radius={0} />}
      {/* What it shows is told beside it. */}
      {found.isSuccess && <BlobImage blob={found.data} alt="" draggable={false} />}
      {found.isError && <IconPhotoOff size={28} stroke={1.2} role="img" aria-label="No preview" />}
    </span>
  );
}
