/** What can be said of a file before any of it is sent. */
import { bytes } from "@/lib/format";

import { typeList, typeOf, typeWords } from "./file-types";
import type { Limits } from "./imaging-api";

export interface Checked {
  /** Tells two files of one name apart. */
  key: string;
  name: string;
  file: File | null;
  mimeType: string;
  /** Why it cannot be filed; null when nothing speaks against it so far. */
  problem: string | null;
}

/** What the server takes, as far as it is known here: it has the last word. */
export const USUAL: Limits = {
  maxBytes: Infinity,
  accepted: ["image/jpeg", "image/png", "image/tiff", "image/webp", "image/bmp", "image/heic", "application/pdf"],
};

export async function checked(file: File, key: string, limits: Limits): Promise<Checked> {
  const known = { key, name: file.name, file };
  if (file.size === 0) return { ...known, mimeType: "", problem: "The file is empty." };
  if (file.size > limits.maxBytes) {
    return { ...known, mimeType: "", problem: `Too large: it has ${bytes(file.size)}, and a file may have ${bytes(limits.maxBytes)} at most.` };
  }
  let mimeType: string | null;
  try {
    mimeType = await typeOf(file);
  } catch {
    return { ...known, mimeType: "", problem: "The file cannot be read: it was moved, or its disk is away." };
  }
  if (mimeType === null || !limits.accepted.includes(mimeType)) {
    const what = mimeType === null ? "This is no picture and no PDF, whatever its name says." : `This is a ${typeWords(mimeType)} file.`;
    return { ...known, mimeType: "", problem: `${what} Accepted are ${typeList(limits.accepted)}.` };
  }
  return { ...known, mimeType, problem: null };
}

export function folder(name: string, key: string): Checked {
  return { key, name, file: null, mimeType: "", problem: "A folder: open it and take the files in it." };
}
