/** Pages of a list: how many there are, and which rows one shows, also where the server did not count to the end. */
import { count } from "@/lib/format";

/** Where the total is not exact there is always one page more than is known of. */
export function pageCount(page: number, pageSize: number, total: number, isExact: boolean): number {
  const known = Math.max(1, Math.ceil(total / pageSize));
  return isExact ? known : Math.max(known, page) + 1;
}

/** `51–100 of 420`, `51–100 of more than 10,000`. */
export function pageWords(page: number, pageSize: number, total: number, isExact: boolean): string {
  const from = (page - 1) * pageSize + 1;
  const to = isExact ? Math.min(page * pageSize, total) : page * pageSize;
  return `${count(from)}–${count(to)} of ${isExact ? "" : "more than "}${count(Math.max(total, isExact ? 0 : to))}`;
}

/** The last page of a list that is shorter than the page one is on, as after its only row went; null elsewhere. */
export function pageWithin(page: number, pageSize: number, total: number, shown: number): number | null {
  const last = Math.max(1, Math.ceil(total / pageSize));
  return shown === 0 && last < page ? last : null;
}
