/** A picture that may not be there yet: an answer that names when to come again (429, 503) is asked again then. */
import { useEffect, useState } from "react";

import { againIn } from "./again-in";

interface LatePicture {
  /** Changes with each try: an image of the same address is not asked for again by itself. */
  attempt: number;
  failed: boolean;
  onError: () => void;
}

export function useLatePicture(address: string): LatePicture {
  const [attempt, setAttempt] = useState(0);
  const [wanted, setWanted] = useState(false);
  const [failed, setFailed] = useState(false);

  useEffect(() => {
    if (!wanted) return;
    const gone = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    // An image does not tell its status; the same address does.
    fetch(address, { signal: gone.signal, cache: "no-store" })
      .then((answer) => {
        void answer.body?.cancel();
        const seconds = againIn(answer.status, answer.headers.get("Retry-After"), attempt);
        if (seconds === null) {
          setFailed(true);
          return;
        }
        timer = setTimeout(() => {
          setWanted(false);
          setAttempt(attempt + 1);
        }, seconds * 1000);
      })
      .catch(() => {
        if (!gone.signal.aborted) setFailed(true);
      });
    return () => {
      gone.abort();
      clearTimeout(timer);
    };
  }, [address, attempt, wanted]);

  return { attempt, failed, onError: () => setWanted(true) };
}
