/** What can be done with the picture in the viewer. */
import { Loader, Tooltip } from "@mantine/core";
import { IconDownload, IconFileCheck, IconFileExport, IconMaximize, IconRotateClockwise2, IconTrash, IconX, IconZoomIn, IconZoomOut } from "@tabler/icons-react";
import { useMutation } from "@tanstack/react-query";
import type { ReactNode, RefObject } from "react";

import { notifyDone, notifyFailed } from "@/components/notify";
import { saveAnswer } from "@/lib/downloads";
import { useCan } from "@/lib/session/use-session";

import { useMakeDicom, type Asset } from "./imaging-api";
import { assetName } from "./kinds";
import { STEP } from "./view";
import type { StageActs } from "./viewer-stage";
import classes from "./viewer.module.css";

interface ViewerToolsProps {
  asset: Asset;
  stage: RefObject<StageActs | null>;
  onDelete: () => void;
  onClose: () => void;
}

export function ViewerTools({ asset, stage, onDelete, onClose }: ViewerToolsProps) {
  const canWrite = useCan("imaging.write");
  const look = { size: 20, stroke: 1.6, "aria-hidden": true };
  return (
    <div className={classes.tools} role="toolbar" aria-label="Picture">
      <Tool label="Zoom out" icon={<IconZoomOut {...look} />} onClick={() => stage.current?.zoom(1 / STEP)} />
      <Tool label="Zoom in" icon={<IconZoomIn {...look} />} onClick={() => stage.current?.zoom(STEP)} />
      <Tool label="Whole picture" icon={<IconMaximize {...look} />} onClick={() => stage.current?.fit()} />
      <Tool label="Rotate" icon={<IconRotateClockwise2 {...look} />} onClick={() => stage.current?.rotate(1)} />
      <span className={classes.gap} />
      <Original asset={asset} />
      <Dicom asset={asset} canWrite={canWrite} />
      {canWrite && <Tool label="Delete" icon={<IconTrash {...look} />} onClick={onDelete} />}
      <span className={classes.gap} />
      <Tool label="Close the viewer" icon={<IconX {...look} />} onClick={onClose} />
    </div>
  );
}

function Original({ asset }: { asset: Asset }) {
  const save = useMutation({
    mutationFn: () => saveAnswer(`/imaging/assets/${asset.id}?variant=original`, assetName(asset)),
    onError: (error) => notifyFailed("The original was not downloaded", error),
  });
  const label = asset.modality === "DOC" ? "Download the whole document" : "Download the original";
  return <Tool label={label} words={asset.modality === "DOC" ? "Document" : "Original"} icon={<IconDownload size={20} stroke={1.6} aria-hidden />} busy={save.isPending} onClick={() => save.mutate()} />;
}

/** Makes a DICOM instance of it in Orthanc; where there is one, leads to it. */
function Dicom({ asset, canWrite }: { asset: Asset; canWrite: boolean }) {
  const make = useMakeDicom();
  const mayExplore = useCan("orthanc.admin");
  // The button stays when the picture changes: what it did may be of another one.
  const isOfThis = make.variables === asset.id;
  const made = asset.dicomInstanceId ?? (isOfThis ? make.data?.orthancId : null) ?? null;
  if (made !== null) {
    const icon = <IconFileCheck size={20} stroke={1.6} aria-hidden />;
    return mayExplore ? (
      <a className={classes.tool} data-words href={`/app/explorer.html#instance?uuid=${encodeURIComponent(made)}`} target="_blank" rel="noreferrer">
        {icon} In Orthanc
      </a>
    ) : (
      <span className={classes.mark}>{icon} Is DICOM</span>
    );
  }
  if (!canWrite) return null;
  return (
    <Tool
      label="Make DICOM"
      words="Make DICOM"
      icon={<IconFileExport size={20} stroke={1.6} aria-hidden />}
      busy={isOfThis && make.isPending}
      onClick={() =>
        make.mutate(asset.id, {
          onSuccess: () => notifyDone("DICOM made", `${assetName(asset)} is in Orthanc too now.`),
          onError: (error) => notifyFailed("No DICOM was made", error),
        })
      }
    />
  );
}

interface ToolProps {
  label: string;
  words?: string;
  icon: ReactNode;
  busy?: boolean;
  onClick: () => void;
}

function Tool({ label, words, icon, busy = false, onClick }: ToolProps) {
  const button = (
    <button type="button" className={classes.tool} data-words={words === undefined ? undefined : true} aria-label={label} aria-busy={busy} disabled={busy} onClick={onClick}>
      {busy ? <Loader size={18} color="#7fc6bf" aria-hidden /> : icon}
      {words !== undefined && <span>{words}</span>}
    </button>
  );
  return words === label ? button : <Tooltip label={label}>{button}</Tooltip>;
}
