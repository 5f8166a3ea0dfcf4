/** Uploads in words. */
import { NetworkError } from "@/lib/api/errors";

import type { Upload } from "./upload-queue";

export function percentOf({ sentBytes, file }: Pick<Upload, "sentBytes" | "file">): number {
  return file.size === 0 ? 0 : Math.floor((100 * sentBytes) / file.size);
}

export function stateWords(upload: Upload): string {
  switch (upload.state) {
    case "queued":
      return "Waits for its turn";
    case "sending":
      return `${percentOf(upload)} %`;
    case "waiting":
      return upload.error instanceof NetworkError ? "Waits for the connection" : "The server is busy, tries again";
    case "paused":
      return "Paused";
    case "finishing":
      return "Being filed";
    case "done":
      return "Filed";
    case "failed":
      return "Not filed";
  }
}

/** For screen readers: what is done, and each tenth of the rest. */
export function panelWords(uploads: readonly Upload[]): string {
  const done = uploads.filter(({ state }) => state === "done").length;
  const failed = uploads.filter(({ state }) => state === "failed").length;
  const waiting = uploads.some(({ state }) => state === "waiting");
  const total = uploads.reduce((sum, { file }) => sum + file.size, 0);
  const sent = uploads.reduce((sum, { sentBytes }) => sum + sentBytes, 0);
  const words = [`${done} of ${uploads.length} filed`];
  if (failed > 0) words.push(`${failed} not filed`);
  if (done + failed < uploads.length) words.push(`${Math.floor((10 * sent) / Math.max(1, total)) * 10} percent sent`);
  if (waiting) words.push("waiting for the connection");
  return `${words.join(", ")}.`;
}
