/** Words, filters and page of a search, kept in the address: back, reload and a shared link show the same rows. */
export interface SearchPlace {
  q: string;
  modality: string;
  from: string;
  to: string;
  medical_aid: string;
  hospital: string;
  hospital_group: string;
  source: string;
  page: number;
}

const WORDS = ["q", "modality", "from", "to", "medical_aid", "hospital", "hospital_group", "source"] as const;
const DATE = /^\d{4}-\d{2}-\d{2}$/;

/** The server pages this far; further down, more words help more than more pages. */
const LAST_OFFSET = 100_000;

/** The last page that the server gives. */
export function lastPage(pageSize: number): number {
  return Math.floor(LAST_OFFSET / pageSize) + 1;
}

export function readPlace(params: URLSearchParams, pageSize: number): SearchPlace {
  const page = Number(params.get("page") ?? "1");
  return {
    q: params.get("q") ?? "",
    modality: params.get("modality") ?? "",
    from: dateOf(params.get("from")),
    to: dateOf(params.get("to")),
    medical_aid: params.get("medical_aid") ?? "",
    hospital: params.get("hospital") ?? "",
    hospital_group: params.get("hospital_group") ?? "",
    source: params.get("source") ?? "",
    page: Number.isInteger(page) && page >= 1 ? Math.min(page, lastPage(pageSize)) : 1,
  };
}

/** Only what differs from the plain list is written; a new search starts at page one again. */
export function writePlace(current: SearchPlace, change: Partial<SearchPlace>): URLSearchParams {
  const next = { ...current, page: 1, ...change };
  const params = new URLSearchParams();
  for (const name of WORDS) if (next[name] !== "") params.set(name, next[name]);
  if (next.page > 1) params.set("page", String(next.page));
  return params;
}

export function isNarrowed(place: SearchPlace): boolean {
  return WORDS.some((name) => place[name] !== "");
}

/** Nothing but what the words say. */
export const NO_FILTER: Partial<SearchPlace> = { modality: "", from: "", to: "", medical_aid: "", hospital: "", hospital_group: "", source: "" };

/** How many filters are set, the words aside. */
export function filtersSet(place: SearchPlace): number {
  return WORDS.filter((name) => name !== "q" && place[name] !== "").length;
}

function dateOf(text: string | null): string {
  return text !== null && DATE.test(text) && !Number.isNaN(Date.parse(text)) ? text : "";
}
