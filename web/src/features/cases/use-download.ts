/** Starts a download of one or more cases and says what was started. */
import { useMutation } from "@tanstack/react-query";

import { notifyDone, notifyFailed } from "@/components/notify";
import { downloadCases } from "@/lib/downloads";
import { bytes } from "@/lib/format";

export function useDownload() {
  return useMutation({
    mutationFn: downloadCases,
    onSuccess: (ticket) => notifyDone("Download started", `${ticket.fileName}, ${bytes(ticket.sizeBytes)}. Your browser shows how far it is.`),
    onError: (error) => notifyFailed("The download did not start", error),
  });
}
