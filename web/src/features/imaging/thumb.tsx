/** A small picture on its dark ground; an icon says what it is as long as there is none, and where there will be none. */
import { IconFileText, IconPhoto, IconPhotoOff } from "@tabler/icons-react";

import { BlobImage } from "@/components/blob-image";

import type { Asset } from "./imaging-api";
import { assetName } from "./kinds";
import { useNear, usePicture } from "./use-picture";
import classes from "./imaging.module.css";

export function Thumb({ asset, decorative = false }: { asset: Asset; decorative?: boolean }) {
  const [near, isNear] = useNear();
  const { blob, error } = usePicture(asset.id, "thumb", isNear && asset.thumbUrl !== null);
  const isComing = asset.thumbUrl !== null && error === null;
  return (
    <span ref={near} className={classes.film} data-coming={(isComing && blob === undefined) || undefined}>
      {blob !== undefined ? (
        <BlobImage blob={blob} alt={decorative ? "" : assetName(asset)} data-document={asset.modality === "DOC" || undefined} draggable={false} />
      ) : (
        <Placeholder asset={asset} failed={error !== null} />
      )}
    </span>
  );
}

function Placeholder({ asset, failed }: { asset: Asset; failed: boolean }) {
  const look = { size: 34, stroke: 1.1, "aria-hidden": true };
  if (failed) return <IconPhotoOff {...look} />;
  return asset.modality === "DOC" ? <IconFileText {...look} /> : <IconPhoto {...look} />;
}
