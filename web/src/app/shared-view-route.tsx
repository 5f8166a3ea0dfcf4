/** The viewer of whoever holds a link: its one series, for as long as the link stands. */
import { useCallback, useMemo } from "react";
import { useParams } from "react-router";

import { DarkRoom } from "@/app/dark-room";
import { HeldGate } from "@/features/shares/held-gate";
import { DeskContext } from "@/features/viewer/desk";
import { NotForDiagnosis } from "@/features/viewer/not-for-diagnosis";
import { SeriesPage } from "@/features/viewer/series-page";
import { StudyRoom } from "@/features/viewer/study-room";
import { anonymous } from "@/lib/api/anonymous";
import { shareFrameLoader } from "@/lib/frames/browser";
import { forgetFrames } from "@/lib/frames/forget";

export function SharedViewRoute() {
  const { id = "" } = useParams();
  const forget = useCallback(() => void forgetFrames(), []);
  return (
    <DarkRoom>
      <HeldGate id={id} onEnd={forget}>
        {({ study_uid, series_uid }) => <Shared key={series_uid} id={id} studyUid={study_uid} seriesUid={series_uid} />}
      </HeldGate>
    </DarkRoom>
  );
}

function Shared({ id, studyUid, seriesUid }: { id: string; studyUid: string; seriesUid: string }) {
  const desk = useMemo(() => ({ client: anonymous, loader: shareFrameLoader(id), owner: `share ${id}` }), [id]);
  const here = `/shared/${encodeURIComponent(id)}`;
  return (
    <DeskContext value={desk}>
      <StudyRoom studyUid={studyUid} seriesUid={seriesUid}>
        <SeriesPage seriesUid={seriesUid} back={{ to: here, label: "Back to the link" }} pathOf={() => `${here}/view`} banner={<NotForDiagnosis />} />
      </StudyRoom>
    </DeskContext>
  );
}
