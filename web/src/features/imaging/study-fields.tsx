/** Which study files belong to: one of the patient's, or a new one with its kind, title and day. */
import { Group, Select, TextInput } from "@mantine/core";
import type { UseFormReturnType } from "@mantine/form";

import type { Study } from "./imaging-api";
import { dayOf, KINDS, studyTitle } from "./kinds";
import { today, type StudyValues } from "./study-values";

const NEW = { value: "", label: "A new study" };

export function StudyFields({ form, studies }: { form: UseFormReturnType<StudyValues>; studies: readonly Study[] }) {
  const choices = [NEW, ...studies.map((study) => ({ value: String(study.id), label: `${studyTitle(study)} · ${dayOf(study.capturedAt)}` }))];
  return (
    <>
      {studies.length > 0 && <Select label="Belongs to" data={choices} allowDeselect={false} {...form.getInputProps("studyId")} />}
      {form.values.studyId === "" && (
        <>
          <Group grow preventGrowOverflow={false} align="flex-start">
            <Select
              label="Kind"
              data={KINDS.map(([value, label]) => ({ value, label }))}
              allowDeselect={false}
              miw={200}
              {...form.getInputProps("kind")}
            />
            <TextInput type="date" label="Taken on" max={today()} miw={160} {...form.getInputProps("date")} />
          </Group>
          <TextInput label="Title" placeholder="Left empty, the kind stands for it" maxLength={200} {...form.getInputProps("title")} />
        </>
      )}
    </>
  );
}
