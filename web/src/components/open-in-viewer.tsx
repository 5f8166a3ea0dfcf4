/** The way into the viewer, from wherever a study or a series is named; it leads back to there. */
import { ActionIcon, Button, Tooltip, type ButtonProps } from "@mantine/core";
import { IconPhotoScan } from "@tabler/icons-react";
import { Link, useLocation } from "react-router";

import { viewerPath } from "@/lib/viewer-address";

interface OpenInViewerProps extends ButtonProps {
  studyUid: string;
  /** Left out: the grid of the whole study. */
  seriesUid?: string;
}

export function OpenInViewer({ studyUid, seriesUid, children, ...rest }: OpenInViewerProps) {
  const { pathname, search } = useLocation();
  return (
    <Button
      component={Link}
      to={viewerPath(studyUid, seriesUid)}
      state={{ back: pathname + search }}
      leftSection={<IconPhotoScan size={18} aria-hidden />}
      {...rest}
    >
      {children ?? "Open in viewer"}
    </Button>
  );
}

/** The same where there is room for an icon alone; `what` says of what. */
export function OpenInViewerIcon({ studyUid, seriesUid, what }: { studyUid: string; seriesUid?: string; what: string }) {
  const { pathname, search } = useLocation();
  return (
    <Tooltip label="Open in viewer">
      <ActionIcon component={Link} to={viewerPath(studyUid, seriesUid)} state={{ back: pathname + search }} variant="subtle" color="gray" aria-label={`Open in viewer: ${what}`}>
        <IconPhotoScan size={18} />
      </ActionIcon>
    </Tooltip>
  );
}
