/** The viewer's pages of who is signed in: a study's grid in the usual frame, one series over the whole window. */
import { useMemo } from "react";
import { useLocation, useParams } from "react-router";

import { DarkRoom } from "@/app/dark-room";
import { RequireSession } from "@/app/guards";
import { Shell } from "@/app/shell";
import { DeskContext } from "@/features/viewer/desk";
import { backOf } from "@/features/viewer/leave";
import { OhifTool } from "@/features/viewer/ohif-link";
import { SeriesPage } from "@/features/viewer/series-page";
import { StudyPage } from "@/features/viewer/study-page";
import { StudyRoom } from "@/features/viewer/study-room";
import { api } from "@/lib/api";
import { frameLoader } from "@/lib/frames/browser";
import { session } from "@/lib/session/browser";
import { useMe } from "@/lib/session/use-session";
import { viewerPath } from "@/lib/viewer-address";

export function ViewerRoute() {
  const { studyUid = "", seriesUid } = useParams();
  return (
    <RequireSession early={seriesUid !== undefined}>
      <Viewer studyUid={studyUid} seriesUid={seriesUid} />
    </RequireSession>
  );
}

function Viewer({ studyUid, seriesUid }: { studyUid: string; seriesUid: string | undefined }) {
  const user = useMe()?.user ?? session.subject() ?? "";
  const desk = useMemo(() => ({ client: api, loader: frameLoader(), owner: user }), [user]);
  return (
    <DeskContext value={desk}>
      <StudyRoom key={studyUid} studyUid={studyUid} seriesUid={seriesUid}>
        {seriesUid === undefined ? (
          <Shell>
            <StudyPage />
          </Shell>
        ) : (
          <OneSeries studyUid={studyUid} seriesUid={seriesUid} />
        )}
      </StudyRoom>
    </DeskContext>
  );
}

function OneSeries({ studyUid, seriesUid }: { studyUid: string; seriesUid: string }) {
  const { state } = useLocation() as { state: unknown };
  const back = backOf(state);
  return (
    <DarkRoom>
      <SeriesPage
        seriesUid={seriesUid}
        back={back === null ? { to: viewerPath(studyUid), label: "All series of the study" } : { to: back, label: "Back" }}
        pathOf={(other) => viewerPath(studyUid, other)}
        others={<OhifTool studyUid={studyUid} />}
      />
    </DarkRoom>
  );
}
