/** A study that is open: its list of series, kept fresh, and all of them in the loader's queue. Stands around grid and viewer alike. */
import { useQuery } from "@tanstack/react-query";
import { createContext, use, useEffect, useMemo, useRef, useSyncExternalStore, type ReactNode } from "react";

import { useDesk } from "./desk";
import { seriesQuery, type SeriesRow } from "./study-api";
import { StudyLoads, type Loads } from "./study-loads";

export interface Study {
  studyUid: string;
  /** Null as long as the list is not here. */
  series: SeriesRow[] | null;
  error: Error | null;
  retry: () => void;
  loads: Loads;
}

const StudyContext = createContext<Study | null>(null);

export function useStudy(): Study {
  const study = use(StudyContext);
  if (study === null) throw new Error("The viewer's pages stand inside a StudyRoom.");
  return study;
}

interface StudyRoomProps {
  studyUid: string;
  /** What the address names: it begins before the list is here. */
  seriesUid: string | undefined;
  children: ReactNode;
}

export function StudyRoom({ studyUid, seriesUid, children }: StudyRoomProps) {
  const desk = useDesk();
  const { loader } = desk;
  const { data, error, refetch } = useQuery(seriesQuery(desk, studyUid));
  const queue = useMemo(() => new StudyLoads(loader, studyUid), [loader, studyUid]);
  const wanted = (data?.series.map((row) => row.seriesUid) ?? (seriesUid === undefined ? [] : [seriesUid])).join(" ");
  useEffect(() => queue.want(wanted.split(" ").filter((uid) => uid !== "")), [queue, wanted]);
  useEffect(() => () => queue.want([]), [queue]);
  useGrown(data?.series, (row) => loader.retry({ studyUid, seriesUid: row.seriesUid }));
  const loads = useSyncExternalStore(queue.subscribe, queue.getLoads);
  const study = useMemo<Study>(
    () => ({ studyUid, series: data?.series ?? null, error: data === undefined ? error : null, retry: () => void refetch(), loads }),
    [studyUid, data, error, refetch, loads],
  );
  return <StudyContext value={study}>{children}</StudyContext>;
}

/** Tells of series that have other files than when they were last listed: a scan that is still being sent. */
function useGrown(series: readonly SeriesRow[] | undefined, onGrown: (row: SeriesRow) => void): void {
  const versions = useRef(new Map<string, string>());
  useEffect(() => {
    for (const row of series ?? []) {
      const before = versions.current.get(row.seriesUid);
      versions.current.set(row.seriesUid, row.version);
      if (before !== undefined && before !== row.version) onGrown(row);
    }
    // Only another list is news.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [series]);
}
