/** Creates or edits a case. */
import { Alert, Button, Group, Modal, Stack, Textarea, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useQuery } from "@tanstack/react-query";
import { IconAlertCircle } from "@tabler/icons-react";
import { useState } from "react";

import { notifyDone } from "@/components/notify";
import { LoadingRows, RequestId } from "@/components/states";
import { useFocusBack } from "@/components/use-focus-back";
import { api } from "@/lib/api";
import type { Case } from "@/lib/api/types";
import { CASES_KEY } from "@/lib/case-list";
import { caseNumber } from "@/lib/format";

import { ExamTypeField } from "./exam-type-field";
import { NumberField } from "./number-field";
import { isNumberTaken, useSaveCase, type CaseValues } from "./save-case";

/** `item` null makes a new case. */
export function CaseDialog({ item, onClose }: { item: Case | null; onClose: () => void }) {
  useFocusBack();
  const next = useQuery({
    queryKey: [...CASES_KEY, "next-number"],
    queryFn: ({ signal }) => api.get<{ caseNumber: number }>("/api/bestof/cases/next-number", { signal }),
    enabled: item === null,
    staleTime: 0,
    gcTime: 0,
  });
  const proposed = item?.caseNumber ?? next.data?.caseNumber;
  return (
    <Modal opened onClose={onClose} closeOnClickOutside={false} size="lg" title={item === null ? "New case" : `Edit case ${caseNumber(item.caseNumber)}`}>
      {proposed === undefined && !next.isError ? (
        <LoadingRows rows={4} />
      ) : (
        <CaseForm item={item} proposed={proposed ?? 1} onClose={onClose} />
      )}
    </Modal>
  );
}

function CaseForm({ item, proposed, onClose }: { item: Case | null; proposed: number; onClose: () => void }) {
  const save = useSaveCase(item?.id ?? null);
  const [unlocked, setUnlocked] = useState(false);
  const form = useForm<CaseValues>({
    initialValues: { examType: item?.examType ?? "", title: item?.title ?? "", text: item?.text ?? "", caseNumber: proposed },
    validate: {
      examType: (value) => (value === "" ? "Choose an exam type: it names the folder of the images." : null),
      caseNumber: (value) => (Number.isInteger(value) && value >= 1 ? null : "A whole number from 1 on."),
    },
  });

  function submit(values: CaseValues) {
    // Untouched, the number is the server's to give: two admins at once then get two numbers.
    const asked = unlocked && values.caseNumber !== item?.caseNumber ? values.caseNumber : null;
    save.mutate(
      { ...values, title: values.title.trim(), caseNumber: asked },
      {
        onSuccess: (saved) => {
          notifyDone("Saved", `Case ${caseNumber(saved.caseNumber)} is ${item === null ? "created" : "changed"}.`);
          onClose();
        },
        onError: (error) => {
          if (isNumberTaken(error)) form.setFieldError("caseNumber", `${caseNumber(values.caseNumber)} is taken by another case.`);
        },
      },
    );
  }

  return (
    <form onSubmit={form.onSubmit(submit)} noValidate>
      <Stack>
        {save.isError && !isNumberTaken(save.error) && (
          <Alert variant="light" color="red" icon={<IconAlertCircle size={18} />} role="alert">
            {save.error.message}
            <RequestId error={save.error} />
          </Alert>
        )}
        <ExamTypeField {...form.getInputProps("examType")} value={form.values.examType} />
        <NumberField
          {...form.getInputProps("caseNumber")}
          value={form.values.caseNumber}
          examType={form.values.examType}
          unlocked={unlocked}
          onUnlock={() => setUnlocked(true)}
        />
        <TextInput label="Title" placeholder="What students see in the list" {...form.getInputProps("title")} maxLength={200} />
        <Textarea
          label="Clinical text"
          placeholder="History, question, what to look for"
          autosize
          minRows={5}
          maxRows={14}
          {...form.getInputProps("text")}
        />
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" loading={save.isPending}>
            {item === null ? "Create case" : "Save"}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
