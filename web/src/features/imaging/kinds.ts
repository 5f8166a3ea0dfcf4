/** What a study holds, in words, and which modality its pictures have. */
import type { Asset, Modality, Study } from "./imaging-api";

/** The kinds that the form offers; the server may know others, from bridges. */
export const KINDS = [
  ["XRAY_BWX", "Bitewing X-ray"],
  ["XRAY_PA", "Periapical X-ray"],
  ["XRAY_PANO", "Panoramic X-ray"],
  ["XRAY_CEPH", "Cephalometric X-ray"],
  ["XRAY_OTHER", "Other X-ray"],
  ["PHOTO", "Photos"],
  ["DOCUMENT", "Documents"],
] as const;

const WORDS = new Map<string, string>(KINDS);

/** `XRAY_BWX` is “Bitewing X-ray”; a kind that is not among ours keeps its own words. */
export function kindWords(kind: string): string {
  const known = WORDS.get(kind);
  if (known !== undefined) return known;
  const isXray = kind.startsWith("XRAY_");
  const words = (isXray ? kind.slice(5) : kind).replaceAll("_", " ").toLowerCase().trim();
  const first = words.charAt(0).toUpperCase() + words.slice(1);
  return isXray ? `X-ray: ${words}` : first;
}

/** A PDF is a document wherever it is filed. */
export function modalityOf(kind: string, mimeType: string): Modality {
  if (mimeType === "application/pdf" || kind.startsWith("DOC")) return "DOC";
  return kind.startsWith("XRAY") ? "XRAY" : "PHOTO";
}

/** The kind that most likely fits what is being filed. */
export function likelyKind(mimeTypes: readonly string[]): string {
  return mimeTypes.length > 0 && mimeTypes.every((each) => each === "application/pdf") ? "DOCUMENT" : "XRAY_BWX";
}

export function studyTitle({ title, kind }: Pick<Study, "title" | "kind">): string {
  return title === null || title.trim() === "" ? kindWords(kind) : title;
}

const MODALITIES: Record<Modality, string> = { XRAY: "X-ray", PHOTO: "Photo", DOC: "Document" };

export function modalityWords(modality: Modality): string {
  return MODALITIES[modality];
}

/** What a picture is called where it has no name of its own. */
export function assetName(asset: Pick<Asset, "fileName" | "modality" | "id">): string {
  return asset.fileName === null || asset.fileName === "" ? `${modalityWords(asset.modality)} ${asset.id}` : asset.fileName;
}

const day = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium" });

/** The day of a UTC time, in the reader's own time zone. */
export function dayOf(iso: string): string {
  const date = new Date(iso);
  return Number.isNaN(date.getTime()) ? iso : day.format(date);
}
