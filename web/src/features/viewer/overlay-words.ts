/** The words in the corners of the picture. */
import type { StackState } from "@/lib/cornerstone/types";
import { dicomDate, personName } from "@/lib/dicom";
import type { Frame, Manifest } from "@/lib/frames/types";

import { momentWords } from "./study-words";

export interface Corners {
  topLeft: string[];
  topRight: string[];
  bottomLeft: string[];
}

const SEX: Record<string, string> = { F: "female", M: "male", O: "other" };

export function cornersOf(manifest: Manifest, frame: Frame): Corners {
  const { patient, study } = manifest;
  const born = patient.birthDate.trim() === "" ? "" : `born ${dicomDate(patient.birthDate)}`;
  return {
    topLeft: said(patient.name.trim() === "" ? "" : personName(patient.name), patient.id, [born, SEX[patient.sex] ?? ""].filter(Boolean).join(", ")),
    topRight: said(study.institution, momentWords(manifest), study.description),
    bottomLeft: said(seriesWords(manifest), groupWords(manifest, frame.index), sliceWords(frame), ...warnings(manifest, frame)),
  };
}

function said(...lines: string[]): string[] {
  return lines.map((line) => line.trim()).filter((line) => line !== "");
}

function seriesWords({ seriesNumber, seriesDescription, modality }: Manifest): string {
  return [modality, seriesNumber === null ? "" : `series ${seriesNumber}`, seriesDescription].filter((word) => word !== "").join(" · ");
}

/** Which part of the series this image belongs to, where there are several. */
function groupWords({ groups }: Manifest, index: number): string {
  if (groups.length < 2) return "";
  const group = groups.find(({ from, count }) => index >= from && index < from + count);
  return group === undefined ? "" : `${group.name}, ${index - group.from + 1} of ${group.count}`;
}

function sliceWords({ sliceThickness, position }: Frame): string {
  const thick = sliceThickness === null || sliceThickness <= 0 ? "" : `${Number(sliceThickness.toFixed(2))} mm thick`;
  return [thick, position === null ? "" : `at ${position.map((value) => value.toFixed(1)).join(", ")}`].filter(Boolean).join(", ");
}

function warnings({ place }: Manifest, { lossy, burnedIn, spacingIs, lutLeftOut }: Frame): string[] {
  return [
    place === "copy" ? "De-identified copy" : "",
    lossy ? "Lossy compressed: not for diagnosis" : "",
    lutLeftOut ?? "",
    burnedIn ? "Words are burned into the image" : "",
    spacingIs === "detector" ? "Lengths hold at the detector, not in the patient" : spacingIs === null ? "No spacing known: lengths in pixels" : "",
  ];
}

/** Which greys: of a table by its name, of a window by its figures. */
export function greyWords({ luts }: Manifest, { window, table }: Pick<StackState, "window" | "table">): string {
  if (table === null) return `C ${figure(window.center)}  W ${figure(window.width)}`;
  const said = luts?.[table]?.explanation.trim() ?? "";
  return said === "" ? "Table of the file" : `Table ${said}`;
}

function figure(value: number): string {
  return Math.abs(value) >= 10 ? String(Math.round(value)) : String(Math.round(value * 100) / 100);
}

/** What is under the pointer. */
export function probeWords({ column, row, values, unit }: { column: number; row: number; values: number[]; unit: string }): string {
  const value = values.map((each) => String(Math.round(each * 100) / 100)).join(" ");
  return `${value}${unit === "" ? "" : ` ${unit}`} at ${column}, ${row}`;
}
