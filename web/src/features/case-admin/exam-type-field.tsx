/** The exam type, with a way to add one that is missing. */
import { ActionIcon, Button, Group, Select, Stack, TextInput, Tooltip } from "@mantine/core";
import { IconPlus } from "@tabler/icons-react";
import { useState } from "react";

import { useExamTypes } from "@/lib/exam-types";

import { useAddExamType } from "./save-case";

interface ExamTypeFieldProps {
  value: string;
  error?: React.ReactNode;
  onChange: (value: string) => void;
}

export function ExamTypeField({ value, error, onChange }: ExamTypeFieldProps) {
  const examTypes = useExamTypes();
  const add = useAddExamType();
  const [name, setName] = useState<string | null>(null);

  function save() {
    const wanted = (name ?? "").trim();
    if (wanted === "") return;
    add.mutate(wanted, {
      onSuccess: (added) => {
        onChange(added.name);
        setName(null);
      },
    });
  }

  return (
    <Stack gap="xs">
      <Group align="flex-end" gap="xs" wrap="nowrap">
        <Select
          label="Exam type"
          placeholder="Choose"
          data={namesWith(examTypes.data?.items.map((type) => type.name) ?? [], value)}
          value={value === "" ? null : value}
          onChange={(chosen) => onChange(chosen ?? "")}
          error={error}
          allowDeselect={false}
          searchable
          flex={1}
        />
        <Tooltip label="Add an exam type">
          <ActionIcon variant="default" size={36} aria-label="Add an exam type" aria-expanded={name !== null} onClick={() => setName(name === null ? "" : null)}>
            <IconPlus size={17} />
          </ActionIcon>
        </Tooltip>
      </Group>
      {name !== null && (
        <Group align="flex-start" gap="xs" wrap="nowrap">
          <TextInput
            aria-label="Name of the new exam type"
            placeholder="Name as the folder is called, such as PET"
            autoFocus
            flex={1}
            value={name}
            error={add.error?.message}
            onChange={(event) => setName(event.currentTarget.value)}
            onKeyDown={(event) => {
              if (event.key !== "Enter") return;
              event.preventDefault();
              save();
            }}
          />
          <Button variant="default" loading={add.isPending} onClick={save}>
            Add
          </Button>
        </Group>
      )}
    </Stack>
  );
}

/** A just-added type may be chosen before the list has been read again. */
function namesWith(names: string[], value: string): string[] {
  return value === "" || names.includes(value) ? names : [...names, value];
}
