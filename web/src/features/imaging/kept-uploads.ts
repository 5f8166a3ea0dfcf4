/** Uploads that were begun and not ended, as this browser remembers them: a page that was left or reloaded takes them up again with the same file. */

import type { Modality } from "./imaging-api";

export interface KeptUpload {
  uploadId: string;
  /** Account: nobody else at this desk goes on with it, or reads the file's name. */
  user: string;
  patientId: number;
  studyId: number;
  studyWords: string;
  modality: Modality;
  mimeType: string;
  capturedAt?: string;
  fingerprint: string;
  fileName: string;
  sizeBytes: number;
  /** How much the server had when it was last heard of. */
  receivedBytes: number;
  expiresAt: string;
}

const KEY = "readingroom.imaging.uploads";

/** The same file, as far as a browser can tell without reading it. */
export function fingerprintOf(file: Pick<File, "name" | "size" | "lastModified">): string {
  return `${file.size}:${file.lastModified}:${file.name}`;
}

/** The part of a browser's storage that is used here. */
export interface Shelf {
  getItem: (key: string) => string | null;
  setItem: (key: string, value: string) => void;
}

export class KeptUploads {
  constructor(
    private readonly shelf: Shelf,
    private readonly now: () => number,
  ) {}

  /** Those of one person for one patient that the server still waits for. */
  of(user: string, patientId: number): KeptUpload[] {
    return this.all().filter((each) => each.user === user && each.patientId === patientId);
  }

  find(user: string, patientId: number, fingerprint: string): KeptUpload | undefined {
    return this.of(user, patientId).find((each) => each.fingerprint === fingerprint);
  }

  keep(upload: KeptUpload): void {
    this.write([...this.all().filter(({ uploadId }) => uploadId !== upload.uploadId), upload]);
  }

  forget(uploadId: string): void {
    const all = this.all();
    if (all.some((each) => each.uploadId === uploadId)) this.write(all.filter((each) => each.uploadId !== uploadId));
  }

  private all(): KeptUpload[] {
    try {
      const read: unknown = JSON.parse(this.shelf.getItem(KEY) ?? "[]");
      return Array.isArray(read) ? read.filter(isKept).filter((each) => Date.parse(each.expiresAt) > this.now()) : [];
    } catch {
      return [];
    }
  }

  private write(uploads: KeptUpload[]): void {
    try {
      this.shelf.setItem(KEY, JSON.stringify(uploads));
    } catch {
      // Storage is full or switched off: the upload goes on, only a reload cannot take it up again.
    }
  }
}

function isKept(value: unknown): value is KeptUpload {
  const kept = value as Partial<KeptUpload> | null;
  return (
    typeof kept === "object" &&
    typeof kept?.uploadId === "string" &&
    typeof kept.user === "string" &&
    typeof kept.patientId === "number" &&
    typeof kept.studyId === "number" &&
    typeof kept.mimeType === "string" &&
    typeof kept.modality === "string" &&
    typeof kept.sizeBytes === "number" &&
    typeof kept.fingerprint === "string" &&
    typeof kept.expiresAt === "string"
  );
}
