/** Gives a link another end, another limit or another note. */
import { Button, Group, Modal, NumberInput, Stack, Text, Textarea } from "@mantine/core";
import { useForm } from "@mantine/form";

import { FormError } from "@/components/form-error";
import { notifyDone } from "@/components/notify";
import { useFocusBack } from "@/components/use-focus-back";

import { ExpiryField } from "./expiry-field";
import { useExtendShare, type Share, type ShareEdit } from "./share-api";
import { checkHours, hoursOf, type FormValues } from "./share-form-values";
import { exactTime } from "./share-words";

type EditValues = Pick<FormValues, "expiry" | "ownAmount" | "ownUnit" | "maxDownloads" | "note">;

export function ExtendDialog({ share, onClose }: { share: Share; onClose: () => void }) {
  useFocusBack();
  const extend = useExtendShare();
  const form = useForm<EditValues>({
    initialValues: { expiry: "", ownAmount: 2, ownUnit: "days", maxDownloads: share.max_downloads ?? "", note: share.note },
    validate: { ownAmount: (_, values) => checkHours(values) },
  });
  const { values } = form;

  function send(valid: EditValues) {
    const edit: ShareEdit = { max_downloads: valid.maxDownloads === "" ? null : Number(valid.maxDownloads), note: valid.note.trim() };
    if (valid.expiry !== "") edit.expires_hours = hoursOf(valid);
    extend.mutate(
      { id: share.id, edit },
      {
        onSuccess: ({ expires_at }) => {
          onClose();
          notifyDone("Link changed", `It works until ${exactTime(expires_at)}.`);
        },
      },
    );
  }

  return (
    <Modal opened onClose={onClose} title="Extend or change" size="lg" closeOnClickOutside={false}>
      <form onSubmit={form.onSubmit(send)} noValidate>
        <Stack gap="lg">
          <div>
            <ExpiryField label="From now for" values={values} error={form.errors.ownAmount} onChange={(change) => form.setValues(change)} />
            {values.expiry === "" && (
              <Text size="sm" c="dimmed" mt={8}>
                Nothing chosen: the end stays {exactTime(share.expires_at)}.
              </Text>
            )}
          </div>
          <NumberInput
            label="Downloads"
            description={`${share.download_count} begun so far. Empty: no limit.`}
            min={1}
            max={1_000_000}
            allowDecimal={false}
            maw={320}
            {...form.getInputProps("maxDownloads")}
          />
          <Textarea label="Note" autosize minRows={2} maxLength={500} {...form.getInputProps("note")} />
          {extend.isError && <FormError error={extend.error} />}
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button type="submit" loading={extend.isPending}>
              Save
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
