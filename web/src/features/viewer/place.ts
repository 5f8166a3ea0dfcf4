/** Where one is in a series: image numbers from 1 for people, indices from 0 inside, the address between. */

export function clamped(index: number, total: number): number {
  return Math.max(0, Math.min(total - 1, Math.round(index)));
}

/** What was typed into the counter: an index, or null for what is no number. Beyond the ends means the ends. */
export function typedIndex(text: string, total: number): number | null {
  const trimmed = text.trim();
  if (!/^\d{1,9}$/.test(trimmed) || total <= 0) return null;
  return clamped(Number(trimmed) - 1, total);
}

/** The image of the address (`?image=45`); null when it names none. */
export function imageOf(params: URLSearchParams): number | null {
  const text = params.get("image") ?? "";
  return /^[1-9]\d{0,8}$/.test(text) ? Number(text) - 1 : null;
}

/** A UID as DICOM has them (PS3.5 section 9.1), leading zeros and all: some programs write such. */
export function isUid(text: string): boolean {
  return text.length <= 64 && /^\d+(\.\d+)+$/.test(text);
}

/** Where a series opens that nobody has looked at yet: slices in their middle, a film at its beginning. */
export function firstIndex(total: number, isFilm: boolean): number {
  return isFilm ? 0 : Math.max(0, Math.floor((total - 1) / 2));
}
