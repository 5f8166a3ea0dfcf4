/** What DICOM headers say, as people read it. */
import { count, plural } from "@/lib/format";

import type { Integrity, SeriesDetail } from "./nas-api";

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
