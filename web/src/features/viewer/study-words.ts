/** Whose study, and of when: as headers say, for the head of a page. */
import { dicomDate, dicomTime, personName } from "@/lib/dicom";
import type { Manifest, SeriesLoad } from "@/lib/frames/types";

/** The first header that was read speaks for the study. */
export function firstManifest(loads: ReadonlyMap<string, SeriesLoad>): Manifest | null {
  for (const load of loads.values()) if (load.manifest !== null) return load.manifest;
  return null;
}

/** The patient in one line; empty where nothing is told, as after de-identification. */
export function patientWords({ patient }: Manifest): string {
  const name = patient.name.trim() === "" ? "" : personName(patient.name);
  const born = patient.birthDate.trim() === "" ? "" : `born ${dicomDate(patient.birthDate)}`;
  return [name, patient.id.trim(), born].filter((word) => word !== "").join(" · ");
}

export function momentWords({ study }: Manifest): string {
  return study.date.trim() === "" ? "" : `${dicomDate(study.date)} ${dicomTime(study.time)}`.trim();
}
