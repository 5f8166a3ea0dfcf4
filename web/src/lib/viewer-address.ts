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
