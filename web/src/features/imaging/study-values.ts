/** The form for where files belong, and what of it the server is told. */

export interface StudyValues {
  /** Empty: a new study. */
  studyId: string;
  kind: string;
  title: string;
  /** A day in the reader's time zone, as `2026-02-09`. */
  date: string;
}

export function newStudyValues(kind: string, studyId: number | null): StudyValues {
  return { studyId: studyId === null ? "" : String(studyId), kind, title: "", date: today() };
}

export function today(now = new Date()): string {
  const two = (value: number) => String(value).padStart(2, "0");
  return `${now.getFullYear()}-${two(now.getMonth() + 1)}-${two(now.getDate())}`;
}

/** Today is now, which the server knows better; of another day noon, which is that day in every zone near. */
export function momentOf(date: string, now = new Date()): string | undefined {
  return date === today(now) ? undefined : new Date(`${date}T12:00:00`).toISOString();
}
