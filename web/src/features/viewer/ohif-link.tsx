/** The way into OHIF: it reads Orthanc by DICOMweb, so it is offered only where something lies in Orthanc. */
import { IconExternalLink } from "@tabler/icons-react";
import type { ReactNode } from "react";

import { useCan } from "@/lib/session/use-session";
import { ohifPath } from "@/lib/viewer-address";

import classes from "./room.module.css";
import type { SeriesRow } from "./study-api";
import { useStudy } from "./study-room";

interface OhifLinkProps {
  studyUid: string;
  series: readonly SeriesRow[];
  children: (address: string) => ReactNode;
}

export function OhifLink({ studyUid, series, children }: OhifLinkProps) {
  const reads = useCan("pacs.read");
  const learns = useCan("cases.read");
  const isThere = series.some(({ place }) => place === "orthanc");
  return (reads || learns) && isThere ? children(ohifPath(studyUid)) : null;
}

/** Among the viewer's tools. */
export function OhifTool({ studyUid }: { studyUid: string }) {
  const { series } = useStudy();
  return (
    <OhifLink studyUid={studyUid} series={series ?? []}>
      {(address) => (
        <a className={`${classes.tool} ${classes.other}`} data-words href={address} title="Open this study in OHIF">
          <IconExternalLink size={17} stroke={1.6} aria-hidden /> OHIF
        </a>
      )}
    </OhifLink>
  );
}
