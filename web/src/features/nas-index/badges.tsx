/** The small marks of a series: where it lies, whether Orthanc has it, whether it is whole. */
import { Badge, Tooltip } from "@mantine/core";
import { IconCloudOff } from "@tabler/icons-react";

import { INTEGRITY } from "./dicom-words";
import type { Series } from "./nas-api";

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

export function OfflineBadge({ reason = "" }: { reason?: string }) {
  return (
    <Tooltip label={reason === "" ? "This source does not answer; what is known of it stays" : reason} multiline maw={320}>
      <Badge color="red" leftSection={<IconCloudOff size={12} aria-hidden />}>
        Offline
      </Badge>
    </Tooltip>
  );
}
