/** The small marks of a series: where it lies, whether Orthanc has it, whether it is whole. */
import { Badge, Tooltip } from "@mantine/core";
import { IconCloudOff } from "@tabler/icons-react";

import { INTEGRITY } from "./dicom-words";
import type { Series } from "./nas-api";
import type { Source } from "./sources-api";

export function IntegrityBadge({ integrity }: Pick<Series, "integrity">) {
  const { label, color, hint } = INTEGRITY[integrity];
  return (
    <Tooltip label={hint} multiline maw={260}>
      <Badge color={color}>{label}</Badge>
    </Tooltip>
  );
}

export function OrthancBadge() {
  return (
    <Tooltip label="Orthanc has this series already">
      <Badge color="petrol">In Orthanc</Badge>
    </Tooltip>
  );
}

/** Plain DICOM is what one expects: only something else is worth a word. */
export function ContentBadge({ content }: Pick<Source, "content">) {
  if (content !== "jpeg2000_firebird" && content !== "mixed") return null;
  const pictures = content === "jpeg2000_firebird";
  return (
    <Tooltip label={pictures ? "JPEG 2000 pictures, whose patients stand in a Firebird database" : "DICOM files, and JPEG 2000 pictures beside them"} multiline maw={260}>
      <Badge color="petrol">{pictures ? "JPEG 2000" : "DICOM and JPEG 2000"}</Badge>
    </Tooltip>
  );
}

export function OfflineBadge({ reason = "" }: { reason?: string }) {
  return (
    <Tooltip label={reason === "" ? "This source does not answer; what is known of it stays" : reason} multiline maw={320}>
      <Badge color="red" leftSection={<IconCloudOff size={12} aria-hidden />}>
        Offline
      </Badge>
    </Tooltip>
  );
}
