/** Where the viewer's pages stand. */

/** The grid of a study, one of its series, one image (from 1) of that. */
export function viewerPath(studyUid: string, seriesUid?: string, image?: number): string {
  const parts = ["", "viewer", encodeURIComponent(studyUid)];
  if (seriesUid !== undefined) parts.push(encodeURIComponent(seriesUid));
  return parts.join("/") + (image === undefined ? "" : `?image=${image}`);
}

/** The same study in OHIF. */
export function ohifPath(studyUid: string): string {
  return `/ohif/viewer?StudyInstanceUIDs=${encodeURIComponent(studyUid)}`;
}

/** The list of studies in OHIF. */
export function ohifListPath(): string {
  return "/ohif/";
}

/** What a path shows, the other way round; null for a path of other pages, and for one that is no address at all. */
export function viewedAt(path: string): { studyUid: string; seriesUid?: string } | null {
  const [, study, series] = /^\/viewer\/([^/]+)(?:\/([^/]+))?\/?$/.exec(path) ?? [];
  if (study === undefined) return null;
  try {
    const studyUid = decodeURIComponent(study);
    return series === undefined ? { studyUid } : { studyUid, seriesUid: decodeURIComponent(series) };
  } catch {
    return null; // a percent sign that stands for nothing
  }
}
