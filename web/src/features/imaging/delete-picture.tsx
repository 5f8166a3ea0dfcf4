/** The question before a picture is deleted. */
import { useState } from "react";

import { Confirm } from "@/components/confirm";
import { notifyDone, notifyFailed } from "@/components/notify";

import { useDeleteAsset, type Asset } from "./imaging-api";
import { assetName } from "./kinds";

export function DeletePicture({ asset, onClose, onDeleted }: { asset: Asset | null; onClose: () => void; onDeleted: () => void }) {
  const remove = useDeleteAsset();
  // What is asked stays readable while the dialog goes.
  const [last, setLast] = useState(asset);
  if (asset !== null && asset !== last) setLast(asset);
  function confirm() {
    if (asset === null) return;
    remove.mutate(asset.id, {
      onSuccess: () => {
        onClose();
        onDeleted();
        notifyDone("Deleted", `${assetName(asset)} is no longer among the patient’s pictures.`);
      },
      onError: (error) => notifyFailed("The picture was not deleted", error),
    });
  }
  return (
    <Confirm opened={asset !== null} title="Delete this picture?" action="Delete picture" pending={remove.isPending} onConfirm={confirm} onClose={onClose}>
      <bdi>{last === null ? "" : assetName(last)}</bdi> goes from the patient’s pictures for everybody in your clinic. The trail keeps who deleted it, and when.
      {last?.dicomInstanceId != null && " The DICOM instance that was made of it stays in Orthanc."}
    </Confirm>
  );
}
