/** What DICOM headers say, as people read it. */
import { count, plural } from "@/lib/format";

import type { Integrity, SeriesDetail } from "./nas-api";

/** `Doe^Jane^Mary^Dr` is `Doe, Jane Mary (Dr)`; the alphabetic group, then the others as they are (PS3.5 section 6.2.1). */
export function personName(value: string): string {
  const groups = spellings(value);
  return groups.length === 0 ? "No name" : groups.join(" · ");
}

/** A name in each script that the header has it in. */
export function spellings(value: string): string[] {
  return value.split("=").map(oneSpelling).filter((text) => text !== "");
}

function oneSpelling(group: string): string {
  const [family = "", given = "", middle = "", prefix = "", suffix = ""] = group.split("^").map((part) => part.trim());
  const first = [given, middle].filter(Boolean).join(" ");
  const titles = [prefix, suffix].filter(Boolean).join(", ");
  const name = [family, first].filter(Boolean).join(", ");
  return titles === "" ? name : name === "" ? titles : `${name} (${titles})`;
}

const day = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeZone: "UTC" });

/** A DICOM date, also in its old form with dots or in ISO's; what is no date is shown as it is. */
export function dicomDate(value: string): string {
  const text = value.trim();
  const parts = /^(\d{4})[.-]?(\d{2})[.-]?(\d{2})$/.exec(text);
  if (parts === null) return text === "" ? "–" : text;
  const [, year, month, dayOfMonth] = parts;
  const date = new Date(`${year}-${month}-${dayOfMonth}T00:00:00Z`);
  return Number.isNaN(date.getTime()) ? text : day.format(date);
}

/** A DICOM time to the minute: `143005.12` is `14:30`. */
export function dicomTime(value: string): string {
  const parts = /^(\d{2}):?(\d{2})/.exec(value.trim());
  return parts === null ? "" : `${parts[1]}:${parts[2]}`;
}

const SEXES: Record<string, string> = { M: "Male", F: "Female", O: "Other" };

export function sex(value: string): string {
  return SEXES[value] ?? value;
}

export const INTEGRITY: Record<Integrity, { label: string; color: string; hint: string }> = {
  complete: { label: "Complete", color: "green", hint: "Every number from the first image to the last is there, once" },
  gaps: { label: "Gaps", color: "yellow", hint: "Some image numbers between the first and the last are missing" },
  duplicates: { label: "Duplicates", color: "yellow", hint: "The same image lies at several paths" },
  unknown: { label: "Not numbered", color: "gray", hint: "The images carry no numbers: whether any is missing cannot be told" },
};

/** Gaps and duplicates in sentences; empty when there is nothing to say. */
export function wholeness({ gaps, duplicates }: Pick<SeriesDetail, "gaps" | "duplicates">): string[] {
  const said: string[] = [];
  if (gaps.length > 0) {
    const missing = gaps.reduce((sum, { first, last }) => sum + last - first + 1, 0);
    const shown = gaps.slice(0, 12).map(({ first, last }) => (first === last ? count(first) : `${count(first)}–${count(last)}`));
    const more = gaps.length > shown.length ? ` and ${plural(gaps.length - shown.length, "more gap")}` : "";
    said.push(`${plural(missing, "image number is", "image numbers are")} missing: ${shown.join(", ")}${more}.`);
  }
  if (duplicates.length > 0) {
    said.push(`${plural(duplicates.length, "image lies", "images lie")} at more than one path.`);
  }
  return said;
}

/** How many were found; "more than" where the server stopped counting. */
export function totalWords(total: number, isExact: boolean): string {
  return `${isExact ? "" : "More than "}${plural(total, "series", "series")}`;
}
