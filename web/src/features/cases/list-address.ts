/** Filter and page of the list, kept in the address: back, reload and a shared link show the same rows. */
export interface ListPlace {
  q: string;
  examType: string;
  page: number;
}

export function readPlace(params: URLSearchParams): ListPlace {
  const page = Number(params.get("page") ?? "1");
  return {
    q: params.get("q") ?? "",
    examType: params.get("examType") ?? "",
    page: Number.isInteger(page) && page >= 1 ? page : 1,
  };
}

/** Only what differs from the plain list is written; a new filter starts at page one again. */
export function writePlace(current: ListPlace, change: Partial<ListPlace>): URLSearchParams {
  const next = { ...current, page: 1, ...change };
  const params = new URLSearchParams();
  if (next.q !== "") params.set("q", next.q);
  if (next.examType !== "") params.set("examType", next.examType);
  if (next.page > 1) params.set("page", String(next.page));
  return params;
}
