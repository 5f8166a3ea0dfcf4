/** How long a link lives, what it asks for, what it gives. */
import { Button, Checkbox, Group, NumberInput, Paper, Stack, Switch, Text, Textarea } from "@mantine/core";
import { useForm } from "@mantine/form";
import { IconLink } from "@tabler/icons-react";
import { useMutation } from "@tanstack/react-query";

import { FormError } from "@/components/form-error";

import { ExpiryField } from "./expiry-field";
import type { Made } from "./made-link";
import { PasscodeField } from "./passcode-field";
import type { ShareableSeries } from "./series-to-share";
import { useCreateShare } from "./share-api";
import { checkHours, checkPasscode, startValues, toShare, type FormValues } from "./share-form-values";
import { BURNED_IN_WORDS } from "./share-words";

export function ShareForm({ series, onMade }: { series: ShareableSeries; onMade: (made: Made) => void }) {
  const create = useCreateShare();
  const form = useForm<FormValues>({
    initialValues: startValues(),
    validate: {
      ownAmount: (_, values) => checkHours(values),
      passcode: (_, values) => checkPasscode(values),
    },
  });
  const send = useMutation({
    mutationFn: async (values: FormValues) => {
      const asked = toShare(series.key, values);
      return { asked, created: await create.mutateAsync(asked) };
    },
    onSuccess: ({ asked, created }) => onMade({ created, asked, series }),
  });
  const { values } = form;
  return (
    <form onSubmit={form.onSubmit((valid) => send.mutate(valid))} noValidate>
      <Stack gap="lg">
        <Paper p="lg">
          <Stack gap="xl">
            <ExpiryField values={values} error={form.errors.ownAmount} onChange={(change) => form.setValues(change)} />
            <PasscodeField
              enabled={values.hasPasscode}
              value={values.passcode}
              error={form.errors.passcode}
              onEnabled={(hasPasscode) => form.setValues({ hasPasscode })}
              onChange={(passcode) => form.setFieldValue("passcode", passcode)}
            />
            <NumberInput
              label="Downloads"
              description="How many times it may be downloaded; a download that was cut off and goes on counts once."
              placeholder="As many as wanted"
              min={1}
              max={1_000_000}
              allowDecimal={false}
              maw={320}
              {...form.getInputProps("maxDownloads")}
            />
            <Switch
              label="De-identified copy"
              description={
                values.deidentified
                  ? "The link gives a copy without name, birth date, numbers and the like (DICOM PS3.15 basic profile, new UIDs). It takes a while to make. What is written into the pixels stays: look at the images first."
                  : "Off: the files go out byte for byte as they are, patient’s name included."
              }
              {...form.getInputProps("deidentified", { type: "checkbox" })}
            />
            {values.deidentified && (
              <Checkbox
                label={BURNED_IN_WORDS}
                description="Without this, a series whose header tells of something burned in gets no copy, and you are asked under “My links”."
                ms="xl"
                {...form.getInputProps("acceptBurnedIn", { type: "checkbox" })}
              />
            )}
            <Textarea label="Note" description="For yourself: who gets the link, and what for. Not shown to them." autosize minRows={2} maxLength={500} {...form.getInputProps("note")} />
          </Stack>
        </Paper>
        {send.isError && <FormError error={send.error} />}
        <Group justify="space-between" gap="md">
          <Text size="sm" c="dimmed" maw={380}>
            Every use of the link is written down, and you can end it at any time.
          </Text>
          <Button type="submit" size="md" loading={send.isPending} leftSection={<IconLink size={18} aria-hidden />}>
            Create link
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
