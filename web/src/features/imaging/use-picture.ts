/** The bytes of a picture, asked for when they are needed. */
import { useIntersection } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";

import { pictureQuery, type Variant } from "./imaging-api";

export interface Picture {
  blob: Blob | undefined;
  error: Error | null;
  retry: () => void;
}

export function usePicture(assetId: number, variant: Variant, enabled = true): Picture {
  const { data, error, refetch } = useQuery({ ...pictureQuery(assetId, variant), enabled });
  return { blob: data, error: data === undefined ? error : null, retry: () => void refetch() };
}

/** True from the moment on at which the element comes near the window: a long page does not ask for all its pictures at once. */
export function useNear() {
  const { ref, entry } = useIntersection({ rootMargin: "400px" });
  const [wasNear, setWasNear] = useState(false);
  if (entry?.isIntersecting === true && !wasNear) setWasNear(true);
  return [ref, wasNear] as const;
}
