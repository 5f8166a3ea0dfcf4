/** Addresses of the pages of pictures, and what stands in them. */

/** The number that names a patient; null for what can be none. */
export function patientId(text: string): number | null {
  if (!/^\d{1,16}$/.test(text)) return null;
  const id = Number(text);
  return id >= 1 && Number.isSafeInteger(id) ? id : null;
}

export function patientAddress(id: number): string {
  return `/imaging/patients/${id}`;
}

export interface PatientPlace {
  page: number;
  /** The asset that is open in the viewer. */
  picture: number | null;
}

export function readPlace(params: URLSearchParams): PatientPlace {
  return { page: patientId(params.get("page") ?? "") ?? 1, picture: patientId(params.get("picture") ?? "") };
}

export function writePlace({ page, picture }: PatientPlace): URLSearchParams {
  const params = new URLSearchParams();
  if (page > 1) params.set("page", String(page));
  if (picture !== null) params.set("picture", String(picture));
  return params;
}
