/** Which cases are checked: a value that never changes in place, and the questions one asks of it. */
import type { Case } from "@/lib/api/types";
import { MOST_CASES } from "@/lib/downloads";
import { plural } from "@/lib/format";

/** Case id → its size in bytes, in the order of checking. Survives paging and filtering. */
export type Selection = ReadonlyMap<string, number>;

export const NOTHING: Selection = new Map();

/** Only a case with DICOMs can be checked. */
export function isSelectable(item: Case): boolean {
  return item.exists && item.fileCount > 0;
}

export function toggled(selection: Selection, item: Case): Selection {
  const next = new Map(selection);
  if (!next.delete(item.id) && isSelectable(item)) next.set(item.id, item.totalSizeBytes);
  return next;
}

export function withAll(selection: Selection, items: readonly Case[]): Selection {
  const next = new Map(selection);
  for (const item of items) if (isSelectable(item)) next.set(item.id, item.totalSizeBytes);
  return next;
}

export function without(selection: Selection, items: readonly Case[]): Selection {
  const next = new Map(selection);
  for (const item of items) next.delete(item.id);
  return next;
}

export function totalBytes(selection: Selection): number {
  let sum = 0;
  for (const size of selection.values()) sum += size;
  return sum;
}

/** Why the checked cases cannot be downloaded together; null when they can. */
export function tooMany(selection: Selection): string | null {
  const over = selection.size - MOST_CASES;
  if (over <= 0) return null;
  return `One download takes ${MOST_CASES} cases at most. Uncheck ${plural(over, "case")} to go on.`;
}
