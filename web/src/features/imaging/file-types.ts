/** What a file is, by its first bytes: names and browsers' guesses do not count. The server looks again, and closer. */

/** How many bytes `recognise` wants to see. */
export const HEAD_BYTES = 1_100;

const WORDS: Record<string, string> = {
  "image/jpeg": "JPEG",
  "image/png": "PNG",
  "image/tiff": "TIFF",
  "image/webp": "WebP",
  "image/heic": "HEIC",
  "image/heif": "HEIF",
  "image/avif": "AVIF",
  "image/gif": "GIF",
  "image/bmp": "BMP",
  "application/pdf": "PDF",
  "application/dicom": "DICOM",
};

const HEIF_BRANDS: Record<string, string> = {
  heic: "image/heic",
  heix: "image/heic",
  heim: "image/heic",
  heis: "image/heic",
  hevc: "image/heic",
  mif1: "image/heif",
  msf1: "image/heif",
  avif: "image/avif",
};

/** The media type by signature; null for what is none of those that a clinic may try to file. */
export function recognise(head: Uint8Array): string | null {
  const text = String.fromCharCode(...head.subarray(0, HEAD_BYTES));
  if (text.startsWith("\xff\xd8\xff")) return "image/jpeg";
  if (text.startsWith("\x89PNG\r\n\x1a\n")) return "image/png";
  if (text.startsWith("II*\0") || text.startsWith("MM\0*")) return "image/tiff";
  if (text.startsWith("RIFF") && text.slice(8, 12) === "WEBP") return "image/webp";
  if (text.slice(4, 8) === "ftyp") return HEIF_BRANDS[text.slice(8, 12)] ?? null;
  if (/^GIF8[79]a/.test(text)) return "image/gif";
  if (text.startsWith("BM")) return "image/bmp";
  if (text.slice(128, 132) === "DICM") return "application/dicom";
  // A PDF may have some bytes before its head (ISO 32000-1, annex H, note 13).
  if (text.slice(0, 1_024 + 5).includes("%PDF-")) return "application/pdf";
  return null;
}

export async function typeOf(file: Blob): Promise<string | null> {
  return recognise(new Uint8Array(await file.slice(0, HEAD_BYTES).arrayBuffer()));
}

export function typeWords(mimeType: string): string {
  return WORDS[mimeType] ?? mimeType;
}

/** `JPEG, PNG and PDF`; types that share a word are named once. */
export function typeList(mimeTypes: readonly string[]): string {
  const words = [...new Set(mimeTypes.map(typeWords))];
  const last = words.pop();
  if (last === undefined) return "";
  return words.length === 0 ? last : `${words.join(", ")} and ${last}`;
}
