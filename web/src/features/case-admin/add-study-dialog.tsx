/** Adds a study that lies in Orthanc to a case; Orthanc Explorer leads here with `?study=`. */
import { Alert, Button, Code, Group, Modal, Select, Stack, Text } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { IconAlertCircle } from "@tabler/icons-react";
import { useState } from "react";

import { notifyDone } from "@/components/notify";
import { RequestId } from "@/components/states";
import { useFocusBack } from "@/components/use-focus-back";
import { api } from "@/lib/api";
import type { Case } from "@/lib/api/types";
import { caseListQuery, CASES_KEY } from "@/lib/case-list";
import { caseNumber, plural } from "@/lib/format";

interface Added {
  caseNumber: number;
  added: number;
  already: number;
  hidden: boolean;
}

interface Row {
  modality: string;
  seriesDescription: string;
  imageCount: number;
}

const OFFERED = 20;

export function AddStudyDialog({ studyUid, onClose }: { studyUid: string; onClose: () => void }) {
  useFocusBack();
  const [words, setWords] = useState("");
  const [asked] = useDebouncedValue(words, 250);
  const [chosen, setChosen] = useState<Case | null>(null);
  const queries = useQueryClient();
  const list = useQuery(caseListQuery({ q: asked, examType: "", published: null }, OFFERED, 0));
  const study = useQuery({
    queryKey: ["study-to-add", studyUid],
    queryFn: ({ signal }) => api.get<{ series: Row[] }>(`/api/pacs/studies/${encodeURIComponent(studyUid)}/series/`, { signal }),
    retry: false,
  });
  const add = useMutation({
    mutationFn: (item: Case) => api.post<Added>(`/api/bestof/cases/${encodeURIComponent(item.id)}/studies`, { studyUid }),
    onSuccess: async (done) => {
      const name = `Case ${caseNumber(done.caseNumber)}`;
      const had = done.already === 0 ? "" : `, ${plural(done.already, "file")} were there already`;
      notifyDone("Added", `${name} has ${plural(done.added, "file")} more${had}.${done.hidden ? HIDDEN : ""}`);
      await queries.invalidateQueries({ queryKey: CASES_KEY });
      onClose();
    },
  });

  const offered = list.data?.items ?? [];
  const shown = chosen !== null && !offered.some(({ id }) => id === chosen.id) ? [chosen, ...offered] : offered;
  return (
    <Modal opened onClose={onClose} title="Add a study to a case" size="lg">
      <Stack>
        <Text size="sm" c="dimmed">
          {study.isSuccess ? inWords(study.data.series) : <Code>{studyUid}</Code>}
        </Text>
        {add.isError && (
          <Alert variant="light" color="red" icon={<IconAlertCircle size={18} />} role="alert">
            {add.error.message}
            <RequestId error={add.error} />
          </Alert>
        )}
        <Select
          label="Case"
          placeholder="Number, title or text"
          searchable
          data-autofocus
          data={shown.map((item) => ({ value: item.id, label: label(item) }))}
          filter={({ options }) => options}
          searchValue={words}
          onSearchChange={setWords}
          value={chosen?.id ?? null}
          onChange={(id) => setChosen(shown.find((item) => item.id === id) ?? null)}
          nothingFoundMessage={list.isPending ? "Looking …" : "No case fits"}
        />
        <Text size="sm" c="dimmed">
          Its files stay in Orthanc and are downloaded with the case. A published case leaves the students' sight when headers of the study name a patient.
        </Text>
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button
            disabled={chosen === null}
            loading={add.isPending}
            onClick={() => {
              if (chosen !== null) add.mutate(chosen);
            }}
          >
            Add to case
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}

const HIDDEN = " Its headers name a patient: students do not see the case until you publish it anew.";

function label({ caseNumber: number, examType, title }: Case): string {
  return `${caseNumber(number)} ${examType}${title === "" ? "" : ` · ${title}`}`;
}

function inWords(series: readonly Row[]): string {
  const images = series.reduce((sum, { imageCount }) => sum + imageCount, 0);
  const names = series.map(({ modality, seriesDescription }) => [modality, seriesDescription].filter((part) => part !== "").join(" "));
  const named = names.slice(0, 4).join(", ");
  return `${plural(series.length, "series", "series")}, ${plural(images, "image")}: ${named}${names.length > 4 ? ", …" : ""}`;
}
