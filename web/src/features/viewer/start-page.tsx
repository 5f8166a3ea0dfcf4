/** The viewer's own address, without a study: the ways to one. Which there are is for the person's capabilities to say. */
import { Button, Card, SimpleGrid, Text, TextInput, Title } from "@mantine/core";
import { IconExternalLink, IconPhotoScan, IconSearch } from "@tabler/icons-react";
import { useState, type ReactNode, type SyntheticEvent } from "react";
import { Link, useNavigate } from "react-router";

import { PageHead } from "@/components/page-head";
import { useCan } from "@/lib/session/use-session";
import { ohifListPath, viewerPath } from "@/lib/viewer-address";

import { isUid } from "./place";

export function ViewerStartPage() {
  const searches = useCan("index.search");
  const learns = useCan("cases.read");
  const reads = useCan("pacs.read");
  return (
    <>
      <PageHead title="Viewer" lead="Choose what to look at." />
      <SimpleGrid cols={{ base: 1, md: 2 }} spacing="md">
        {searches && (
          <Way title="Any series" words="On the NAS or in Orthanc: by patient, number or description, the newest first.">
            <Search />
          </Way>
        )}
        {learns && (
          <Way title="Teaching cases" words="Open a case, then Open in viewer.">
            <Button component={Link} to="/cases" variant="default">
              To the cases
            </Button>
          </Way>
        )}
        <Way title="A study by its UID" words="As it stands in a report or in another program.">
          <ByUid />
        </Way>
        {reads && (
          <Way title="OHIF" words="The study list of the other viewer, of what lies in Orthanc.">
            <Button component="a" href={ohifListPath()} variant="default" leftSection={<IconExternalLink size={16} aria-hidden />}>
              To OHIF
            </Button>
          </Way>
        )}
      </SimpleGrid>
    </>
  );
}

function Way({ title, words, children }: { title: string; words: string; children: ReactNode }) {
  return (
    <Card component="section" aria-label={title}>
      <Title order={2} fz="h3">
        {title}
      </Title>
      <Text c="dimmed" mt={4} mb="md">
        {words}
      </Text>
      {children}
    </Card>
  );
}

function Search() {
  const [words, setWords] = useState("");
  const navigate = useNavigate();
  return (
    <Line
      onSubmit={() => {
        const said = words.trim();
        void navigate(said === "" ? "/nas" : `/nas?q=${encodeURIComponent(said)}`);
      }}
      field={<TextInput type="search" aria-label="Patient, number or description" value={words} onChange={(event) => setWords(event.currentTarget.value)} style={{ flex: 1 }} />}
      button={
        <Button type="submit" leftSection={<IconSearch size={16} aria-hidden />}>
          Search
        </Button>
      }
    />
  );
}

function ByUid() {
  const [typed, setTyped] = useState("");
  const [isWrong, setWrong] = useState(false);
  const navigate = useNavigate();
  return (
    <Line
      onSubmit={() => {
        const uid = typed.trim();
        if (isUid(uid)) void navigate(viewerPath(uid));
        else setWrong(true);
      }}
      field={
        <TextInput
          aria-label="StudyInstanceUID"
          placeholder="1.2.840…"
          value={typed}
          error={isWrong ? "Digits and points, 64 at most" : undefined}
          onChange={(event) => {
            setTyped(event.currentTarget.value);
            setWrong(false);
          }}
          style={{ flex: 1 }}
        />
      }
      button={
        <Button type="submit" variant="default" leftSection={<IconPhotoScan size={16} aria-hidden />}>
          Open
        </Button>
      }
    />
  );
}

function Line({ onSubmit, field, button }: { onSubmit: () => void; field: ReactNode; button: ReactNode }) {
  return (
    <form
      style={{ display: "flex", gap: "var(--mantine-spacing-sm)", alignItems: "flex-start" }}
      onSubmit={(event: SyntheticEvent) => {
        event.preventDefault();
        onSubmit();
      }}
    >
      {field}
      {button}
    </form>
  );
}
