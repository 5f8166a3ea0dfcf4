/** Where a clinic's people begin: open a patient, or one whose pictures were filed lately. */
import { Button, Group, Paper, Skeleton, Text, TextInput, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { IconArrowRight, IconPhoto } from "@tabler/icons-react";
import { useState } from "react";
import { Link, useNavigate } from "react-router";

import { PageHead } from "@/components/page-head";
import { steerRows } from "@/components/row-steering";
import { Shortcuts, type Shortcut } from "@/components/shortcuts";
import { Empty, Failed } from "@/components/states";
import { plural } from "@/lib/format";

import { InClinic } from "./in-clinic";
import { latestQuery, type Study } from "./imaging-api";
import { dayOf, studyTitle } from "./kinds";
import { LineBanner } from "./line-banner";
import { patientAddress, patientId } from "./patient-address";
import { Thumb } from "./thumb";
import { UploadPanel } from "./upload-panel";
import classes from "./imaging.module.css";

const KEYS: Shortcut[] = [
  [["↓", "↑"], "Through the patients (j and k work too)"],
  [["Enter"], "Open the patient"],
];

export function ImagingStartPage() {
  return (
    <InClinic>
      <Start />
    </InClinic>
  );
}

function Start() {
  return (
    <>
      <PageHead title="Pictures" lead="X-rays, photos and documents of your clinic’s patients." actions={<Shortcuts keys={KEYS} />} />
      <LineBanner />
      <OpenPatient />
      <UploadPanel />
      <Title order={2} mt="xl" mb="md">
        Latest
      </Title>
      <Latest />
    </>
  );
}

function OpenPatient() {
  const navigate = useNavigate();
  const [typed, setTyped] = useState("");
  const [wrong, setWrong] = useState(false);
  function open(event: React.SyntheticEvent) {
    event.preventDefault();
    const id = patientId(typed.trim());
    if (id === null) setWrong(true);
    else void navigate(patientAddress(id));
  }
  return (
    <Paper p="lg" component="form" onSubmit={open} noValidate role="search" aria-label="Open a patient">
      <Group align="flex-start" gap="sm">
        <TextInput
          label="Patient number"
          description="A patient that has no pictures yet is opened the same way."
          inputMode="numeric"
          autoComplete="off"
          value={typed}
          onChange={(event) => {
            setTyped(event.currentTarget.value);
            setWrong(false);
          }}
          error={wrong ? "A patient’s number is a whole number, as in your clinic’s records." : undefined}
          inputWrapperOrder={["label", "input", "description", "error"]}
          className={classes.number}
        />
        <Button type="submit" mt={{ base: 0, sm: 25 }} rightSection={<IconArrowRight size={17} aria-hidden />}>
          Open patient
        </Button>
      </Group>
    </Paper>
  );
}

/** The newest study of each patient, in the order of the list. */
function byPatient(studies: readonly Study[]): Study[][] {
  const patients = new Map<number, Study[]>();
  for (const study of studies) {
    if (study.assets.length > 0) patients.set(study.patientId, [...(patients.get(study.patientId) ?? []), study]);
  }
  return [...patients.values()];
}

function Latest() {
  const found = useQuery(latestQuery);
  if (found.isPending) return <LatestLoading />;
  if (found.data === undefined) return <Failed error={found.error} retry={() => void found.refetch()} />;
  const patients = byPatient(found.data.items).slice(0, 12);
  if (patients.length === 0) {
    return (
      <Empty title="No pictures yet" icon={<IconPhoto size={34} stroke={1.3} />}>
        Open a patient by number and drop the first files there.
      </Empty>
    );
  }
  return (
    <ul className={classes.patients}>
      {patients.map((studies) => (
        <PatientCard key={studies[0]?.patientId} studies={studies} />
      ))}
    </ul>
  );
}

function PatientCard({ studies }: { studies: Study[] }) {
  const [newest] = studies;
  const assets = studies.flatMap((study) => study.assets);
  const [first] = assets;
  if (newest === undefined || first === undefined) return null;
  return (
    <li>
      <Link to={patientAddress(newest.patientId)} className={classes.patient} data-row-link onKeyDown={steerRows}>
        <Thumb asset={first} decorative />
        <span className={classes.words}>
          <span className={classes.name}>Patient {newest.patientId}</span>
          <Text component="span" size="sm" truncate>
            <bdi>{studyTitle(newest)}</bdi>
          </Text>
          <Text component="span" size="sm" c="dimmed">
            {dayOf(newest.capturedAt)} · {plural(assets.length, "picture")}
          </Text>
        </span>
      </Link>
    </li>
  );
}

function LatestLoading() {
  return (
    <div className={classes.patients} role="status" aria-label="Loading">
      {Array.from({ length: 6 }, (_, place) => (
        <Skeleton key={place} height={104} radius="md" />
      ))}
    </div>
  );
}
