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

/** As the server reads them: the codec of `mif1` and `msf1` is open, and an AVIF has them too. */
const HEIC_BRANDS = ["heic", "heix", "heim", "heis", "mif1", "msf1"];
const AVIF_BRANDS = ["avif", "avis"];

/** How much of a file the server looks into for brands. */
const BRANDS_BYTES = 64;

/** The media type by signature; null for what is none of those that a clinic may try to file. */
export function recognise(head: Uint8Array): string | null {
  const text = String.fromCharCode(...head.subarray(0, HEAD_BYTES));
  if (text.startsWith("\xff\xd8\xff")) return "image/jpeg";
  if (text.startsWith("\x89PNG\r\n\x1a\n")) return "image/png";
  if (text.startsWith("II*\0") || text.startsWith("MM\0*")) return "image/tiff";
  if (text.startsWith("RIFF") && text.slice(8, 12) === "WEBP") return "image/webp";
  if (text.slice(4, 8) === "ftyp") return ofBrands(brandsOf(head));
  if (/^GIF8[79]a/.test(text)) return "image/gif";
  if (text.startsWith("BM")) return "image/bmp";
  if (text.slice(128, 132) === "DICM") return "application/dicom";
  // A PDF may have some bytes before its head (ISO 32000-1, annex H, note 13).
  if (text.slice(0, 1_024 + 5).includes("%PDF-")) return "application/pdf";
  return null;
}

/** The major brand and those that follow in the file's first box (ISO/IEC 14496-12, 4.3). */
function brandsOf(head: Uint8Array): string[] {
  const length = new DataView(head.buffer, head.byteOffset, head.byteLength).getUint32(0);
  const box = String.fromCharCode(...head.subarray(0, Math.min(length, BRANDS_BYTES)));
  const brands = [String.fromCharCode(...head.subarray(8, 12))];
  for (let at = 16; at + 4 <= box.length; at += 4) brands.push(box.slice(at, at + 4));
  return brands;
}

function ofBrands(brands: readonly string[]): string | null {
  if (AVIF_BRANDS.some((each) => brands.includes(each))) return "image/avif";
  if (HEIC_BRANDS.some((each) => brands.includes(each))) return "image/heic";
  return brands.includes("hevc") ? "image/heif" : null;
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
