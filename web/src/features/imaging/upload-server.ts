/** Resumable uploads at the server: begun, sent piece by piece, looked at, ended or dropped. */
import { api } from "@/lib/api";

import type { Modality } from "./imaging-api";
import type { ByteRange } from "./ranges";

export interface UploadWish {
  patientId: number;
  studyId: number;
  modality: Modality;
  mimeType: string;
  totalBytes: number;
  fileName: string;
  capturedAt?: string;
}

export interface Begun {
  uploadId: string;
  chunkBytes: number;
  expiresAt: string;
}

export interface UploadStatus {
  /** `completing` is on its way to `done`; `refused` ends it. An asset that is not `done` is not filed yet. */
  state: "open" | "completing" | "done" | "refused";
  received: ByteRange[];
  assetId?: number | null;
}

export interface UploadServer {
  begin: (wish: UploadWish) => Promise<Begun>;
  look: (uploadId: string) => Promise<UploadStatus>;
  send: (uploadId: string, offset: number, bytes: Blob, signal: AbortSignal) => Promise<{ received: ByteRange[] }>;
  complete: (uploadId: string, totalBytes: number, sha256: string | null) => Promise<{ assetId: number }>;
  drop: (uploadId: string) => Promise<unknown>;
}

function address(uploadId: string, what = ""): string {
  return `/imaging/uploads/${encodeURIComponent(uploadId)}${what}`;
}

export const uploadServer: UploadServer = {
  begin: (wish) => api.post("/imaging/assets/upload-init", wish),
  look: (uploadId) => api.get(address(uploadId)),
  send: async (uploadId, offset, bytes, signal) => {
    const answer = await api.raw("PUT", address(uploadId, "/chunks"), { query: { offset }, body: bytes, signal });
    return (await answer.json()) as { received: ByteRange[] };
  },
  complete: (uploadId, totalBytes, sha256) => api.post(address(uploadId, "/complete"), sha256 === null ? { totalBytes } : { totalBytes, sha256 }),
  drop: (uploadId) => api.delete(address(uploadId)),
};

/** The hash of a whole file; null where the browser keeps its own shut (plain HTTP). */
export async function sha256Of(file: Blob): Promise<string | null> {
  const subtle = (crypto as { subtle?: SubtleCrypto }).subtle;
  if (subtle === undefined) return null;
  const digest = await subtle.digest("SHA-256", await file.arrayBuffer());
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
