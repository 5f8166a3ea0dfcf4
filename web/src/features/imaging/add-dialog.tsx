/** Files that are to be filed: what speaks against each, and which study they belong to. */
import { Button, Group, Modal, Stack, Text } from "@mantine/core";
import { useForm } from "@mantine/form";
import { IconPlus } from "@tabler/icons-react";

import { FormError } from "@/components/form-error";
import { useFocusBack } from "@/components/use-focus-back";
import { plural } from "@/lib/format";

import { useMakeStudy, type Study } from "./imaging-api";
import type { Checked } from "./check-file";
import { ChosenFiles } from "./chosen-files";
import { dayOf, kindWords, likelyKind, modalityOf, studyTitle } from "./kinds";
import { StudyFields } from "./study-fields";
import { momentOf, newStudyValues, today, type StudyValues } from "./study-values";
import { uploads } from "./uploads";

interface AddDialogProps {
  patientId: number;
  files: readonly Checked[];
  studies: readonly Study[];
  /** Where the files were dropped, or null. */
  studyId: number | null;
  onRemove: (key: string) => void;
  onMore: () => void;
  onClose: () => void;
}

interface Place {
  id: number;
  kind: string;
  words: string;
  capturedAt: string | undefined;
}

export function AddDialog({ patientId, files, studies, studyId, onRemove, onMore, onClose }: AddDialogProps) {
  useFocusBack();
  const make = useMakeStudy();
  const good = files.filter(({ problem }) => problem === null);
  const form = useForm<StudyValues>({
    initialValues: newStudyValues(likelyKind(good.map(({ mimeType }) => mimeType)), studyId),
    validate: {
      date: (value, { studyId: chosen }) =>
        chosen !== "" || (/^\d{4}-\d{2}-\d{2}$/.test(value) && value <= today()) ? null : "The day on which it was taken, not in the future.",
    },
  });

  function send({ id, kind, words, capturedAt }: Place) {
    uploads.add(
      good.flatMap(({ file, mimeType }) =>
        file === null
          ? []
          : [{ file, mimeType, modality: modalityOf(kind, mimeType), patientId, studyId: id, studyWords: words, ...(capturedAt === undefined ? {} : { capturedAt }) }],
      ),
    );
    onClose();
  }

  function submit(values: StudyValues) {
    const chosen = studies.find(({ id }) => String(id) === values.studyId);
    if (chosen !== undefined) {
      send({ ...chosen, words: `${studyTitle(chosen)}, ${dayOf(chosen.capturedAt)}` });
      return;
    }
    const { kind } = values;
    const title = values.title.trim();
    const capturedAt = momentOf(values.date);
    const study = { patientId, kind, source: "manual-upload", ...(title === "" ? {} : { title }), ...(capturedAt === undefined ? {} : { capturedAt }) };
    make.mutate(study, { onSuccess: ({ studyId: id }) => send({ id, kind, words: title === "" ? kindWords(kind) : title, capturedAt }) });
  }

  return (
    <Modal opened onClose={onClose} closeOnClickOutside={false} size="lg" title={`Add to patient ${patientId}`}>
      <form onSubmit={form.onSubmit(submit)} noValidate>
        <Stack>
          <ChosenFiles files={files} onRemove={onRemove} />
          <Group>
            <Button variant="subtle" size="compact-sm" leftSection={<IconPlus size={15} aria-hidden />} onClick={onMore}>
              More files
            </Button>
          </Group>
          <StudyFields form={form} studies={studies} />
          {make.isError && <FormError error={make.error} />}
          <Group justify="flex-end">
            {good.length === 0 && (
              <Text size="sm" c="dimmed" me="auto">
                None of these can be filed.
              </Text>
            )}
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button type="submit" loading={make.isPending} disabled={good.length === 0}>
              Upload {good.length === 0 ? "" : plural(good.length, "file")}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
