/** A patient's pictures: studies with small pictures, files dropped anywhere on the page, one picture large in the viewer. */
import { Button, Skeleton } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { IconPhotoPlus, IconUpload } from "@tabler/icons-react";
import { useRef, useState, type RefObject } from "react";
import { useParams, useSearchParams } from "react-router";

import { BackLink } from "@/components/back-link";
import { PageHead } from "@/components/page-head";
import { Pager } from "@/components/pager";
import { Shortcuts, type Shortcut } from "@/components/shortcuts";
import { Empty, Failed } from "@/components/states";
import { plural } from "@/lib/format";
import { useCan } from "@/lib/session/use-session";

import { AddDialog } from "./add-dialog";
import { PAGE_SIZE, patientQuery, type Study } from "./imaging-api";
import { InClinic } from "./in-clinic";
import { Interrupted } from "./interrupted";
import { useIncoming } from "./incoming";
import { LineBanner } from "./line-banner";
import { patientId, readPlace, writePlace } from "./patient-address";
import { StudySection } from "./study-section";
import { UploadPanel } from "./upload-panel";
import { useArrivals } from "./use-arrivals";
import { Viewer } from "./viewer";
import classes from "./imaging.module.css";

const KEYS: Shortcut[] = [
  [["←", "→", "↑", "↓"], "Through the small pictures"],
  [["Enter"], "Open a picture"],
  [["Ctrl V"], "Paste a picture or files"],
  [["+", "−"], "In the viewer: zoom"],
  [["0"], "In the viewer: the whole picture"],
  [["r", "R"], "In the viewer: rotate right, left"],
  [["←", "→"], "In the viewer: previous, next"],
  [["Shift ←", "Shift ↑"], "In the viewer: move a zoomed picture"],
  [["Esc"], "Close the viewer or a dialog"],
];

export function ImagingPatientPage() {
  const id = patientId(useParams().patientId ?? "");
  return <InClinic>{id === null ? <NoSuchPatient /> : <Patient key={id} id={id} />}</InClinic>;
}

function Patient({ id }: { id: number }) {
  const [params, setParams] = useSearchParams();
  const place = readPlace(params);
  const found = useQuery(patientQuery(id, place.page));
  const canWrite = useCan("imaging.write");
  const arrivals = useArrivals(id);
  // Where files that are chosen next belong; null asks.
  const [study, setStudy] = useState<number | null>(null);
  const chooser = useRef<HTMLInputElement>(null);
  const studies = found.data?.items ?? [];
  const isViewing = place.picture !== null && studies.length > 0;
  const isOver = useIncoming(arrivals.take, canWrite && !isViewing);

  function choose(studyId: number | null) {
    setStudy(studyId);
    chooser.current?.click();
  }

  function close() {
    arrivals.clear();
    setStudy(null);
  }

  function show(picture: number | null) {
    setParams(writePlace({ ...place, picture }), { replace: picture !== null, preventScrollReset: true });
  }

  return (
    <>
      <BackLink to="/imaging">All pictures</BackLink>
      <PageHead
        title={`Patient ${id}`}
        lead={found.data === undefined ? undefined : leadOf(found.data.total, studies)}
        actions={
          <>
            {canWrite && (
              <Button leftSection={<IconPhotoPlus size={18} aria-hidden />} onClick={() => choose(null)}>
                Add files
              </Button>
            )}
            <Shortcuts keys={KEYS} />
          </>
        }
      />
      <FileChooser input={chooser} onChosen={(files) => arrivals.take({ files, folders: [] })} />
      <LineBanner />
      {canWrite && <Interrupted patientId={id} onChoose={() => choose(null)} />}
      <UploadPanel patientId={id} />
      {found.isPending && <Loading />}
      {found.isError && found.data === undefined && <Failed error={found.error} retry={() => void found.refetch()} />}
      {found.isSuccess && found.data.total === 0 && <NothingYet onAdd={canWrite ? () => choose(null) : null} />}
      <div aria-busy={found.isPlaceholderData}>
        {studies.map((each) => (
          <StudySection
            key={each.id}
            study={each}
            addressOf={(asset) => `?${writePlace({ ...place, picture: asset.id }).toString()}`}
            onAdd={canWrite ? () => choose(each.id) : null}
          />
        ))}
      </div>
      {found.data !== undefined && found.data.total > PAGE_SIZE && (
        <Pager page={place.page} pageSize={PAGE_SIZE} total={found.data.total} onPage={(page) => setParams(writePlace({ page, picture: null }))} />
      )}
      {isOver && <DropVeil id={id} />}
      {arrivals.files.length > 0 && (
        <AddDialog
          patientId={id}
          files={arrivals.files}
          studies={studies}
          studyId={study}
          onRemove={arrivals.remove}
          onMore={() => chooser.current?.click()}
          onClose={close}
        />
      )}
      {isViewing && <Viewer studies={studies} assetId={place.picture ?? 0} onShow={show} />}
    </>
  );
}

function FileChooser({ input, onChosen }: { input: RefObject<HTMLInputElement | null>; onChosen: (files: File[]) => void }) {
  return (
    <input
      ref={input}
      type="file"
      multiple
      hidden
      aria-label="Files to add"
      onChange={({ currentTarget }) => {
        onChosen([...(currentTarget.files ?? [])]);
        // The same file may be chosen again.
        currentTarget.value = "";
      }}
    />
  );
}

function leadOf(total: number, studies: readonly Study[]): string {
  if (total === 0) return "Nothing is filed yet.";
  if (total > studies.length) return `${plural(total, "study", "studies")}, the newest first.`;
  const pictures = studies.reduce((sum, { assets }) => sum + assets.length, 0);
  return `${plural(pictures, "picture")} in ${plural(total, "study", "studies")}, the newest first.`;
}

function NothingYet({ onAdd }: { onAdd: (() => void) | null }) {
  return (
    <Empty
      title="No pictures of this patient yet"
      icon={<IconPhotoPlus size={34} stroke={1.3} />}
      action={
        onAdd !== null && (
          <Button variant="default" onClick={onAdd}>
            Choose files
          </Button>
        )
      }
    >
      {onAdd === null ? "Whoever may file pictures in your clinic can add the first." : "Drop X-rays, photos or documents anywhere on this page, or paste a picture."}
    </Empty>
  );
}

function NoSuchPatient() {
  return (
    <>
      <BackLink to="/imaging">All pictures</BackLink>
      <Empty title="No patient has this number">A patient’s number is a whole number, as in your clinic’s records.</Empty>
    </>
  );
}

/** Over the whole page while files are dragged. */
function DropVeil({ id }: { id: number }) {
  return (
    <div className={classes.veil} aria-hidden>
      <div>
        <IconUpload size={44} stroke={1.3} />
        <span>Drop to add to patient {id}</span>
      </div>
    </div>
  );
}

function Loading() {
  return (
    <div role="status" aria-label="Loading the pictures">
      {[5, 3].map((tiles, row) => (
        <div key={row} className={classes.study}>
          <Skeleton height={26} width={220} mb="xs" />
          <Skeleton height={16} width={140} mb="sm" />
          <div className={classes.tiles}>
            {Array.from({ length: tiles }, (_, tile) => (
              <Skeleton key={tile} radius="md" className={classes.waiting} />
            ))}
          </div>
        </div>
      ))}
    </div>
  );
}
