/** Files that came to a patient's page: what was cut off before goes on at once, the rest waits for the dialog. */
import { useQueryClient } from "@tanstack/react-query";
import { useRef, useState } from "react";

import { notifyDone } from "@/components/notify";

import { checked, folder, USUAL, type Checked } from "./check-file";
import { limitsQuery, type Limits } from "./imaging-api";
import type { Arrived } from "./incoming";
import { fingerprintOf } from "./kept-uploads";
import { keptUploads, uploads, userNow } from "./uploads";

export function useArrivals(patientId: number) {
  const [files, setFiles] = useState<readonly Checked[]>([]);
  const queries = useQueryClient();
  const made = useRef(0);

  async function take({ files: arrived, folders }: Arrived) {
    const fresh = arrived.filter((file) => !isOnItsWay(file) && !goesOn(file));
    const waiting = fresh.map((file) => ({ file, key: `file ${made.current++}` }));
    const limits = await limitsOf(() => queries.query({ ...limitsQuery, staleTime: "static" }));
    const judged = await Promise.all(waiting.map(({ file, key }) => checked(file, key, limits)));
    const refused = folders.map((name) => folder(name, `folder ${made.current++}`));
    if (judged.length + refused.length > 0) setFiles((before) => [...before, ...judged, ...refused]);
  }

  function isOnItsWay(file: File): boolean {
    const mark = fingerprintOf(file);
    return uploads.get().some((each) => each.patientId === patientId && each.state !== "failed" && each.state !== "done" && fingerprintOf(each.file) === mark);
  }

  function goesOn(file: File): boolean {
    const kept = keptUploads.find(userNow(), patientId, fingerprintOf(file));
    if (kept === undefined) return false;
    const { uploadId, studyId, studyWords, modality, mimeType, capturedAt, receivedBytes } = kept;
    const filing = { file, mimeType, modality, patientId, studyId, studyWords, uploadId, sentBytes: receivedBytes };
    uploads.add([capturedAt === undefined ? filing : { ...filing, capturedAt }]);
    notifyDone("Goes on", `${file.name} goes on where it stopped.`);
    return true;
  }

  return {
    files,
    take: (arrived: Arrived) => void take(arrived),
    remove: (key: string) => setFiles((before) => before.filter((each) => each.key !== key)),
    clear: () => setFiles([]),
  };
}

/** The server says them again, and first: without its answer the usual ones do. */
async function limitsOf(ask: () => Promise<Limits>): Promise<Limits> {
  try {
    return await ask();
  } catch {
    return USUAL;
  }
}
