/** Adds or changes a source: fill in, test, save. */
import { Anchor, Button, Collapse, Group, Modal, Paper, Stack, Text } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useDisclosure, useMediaQuery } from "@mantine/hooks";
import { IconAdjustments, IconPlugConnected } from "@tabler/icons-react";
import { useState } from "react";

import { FormError } from "@/components/form-error";
import { notifyDone } from "@/components/notify";

import { AdvancedFields } from "./advanced-fields";
import { SourceFields, type Form } from "./source-fields";
import { mistakes, NEW_SOURCE, toConfig, toForm, type SourceForm } from "./source-form";
import { refusalOf } from "./source-refusal";
import { useConfigure, useTestSource, type SourceConfig, type Tested } from "./sources-api";
import { TestedAnswer } from "./tested";
import classes from "./nas-index.module.css";

interface SourceDialogProps {
  /** What is changed; null makes a new source. */
  source: SourceConfig | null;
  /** Filled in beforehand, as advice says. */
  change?: Partial<SourceConfig>;
  /** The names that other sources have. */
  taken: string[];
  onClose: () => void;
}

export function SourceDialog({ source, change = {}, taken, onClose }: SourceDialogProps) {
  const isPhone = useMediaQuery("(max-width: 48em)");
  return (
    <Modal opened onClose={onClose} closeOnClickOutside={false} size="xl" fullScreen={isPhone} title={source === null ? "New source" : `Source ${source.name}`}>
      <Fields source={source} start={{ ...(source ?? NEW_SOURCE), ...change }} taken={taken} onClose={onClose} />
    </Modal>
  );
}

/** Fields that are folded away unless something in them is said or wrong. */
const ADVANCED = /^(firebird|timeout|retry_|connection_pool|enumeration|max_workers|chunk_size|performance)/;

function Fields({ source, start, taken, onClose }: { source: SourceConfig | null; start: SourceConfig; taken: string[]; onClose: () => void }) {
  const [advanced, { toggle, open }] = useDisclosure(start.firebird !== null);
  const [rest, setRest] = useState<{ said: string[]; error: Error } | null>(null);
  const test = useTestSource();
  const configure = useConfigure();
  const form = useForm<SourceForm>({
    initialValues: toForm(start),
    validate: (values) => mistakes(values, taken),
    // What was tested is no longer what stands there.
    onValuesChange: () => {
      test.reset();
      setRest(null);
    },
  });

  function show(fields: Record<string, string>) {
    form.setErrors(fields);
    const [first] = Object.keys(fields);
    if (first === undefined) return;
    if (Object.keys(fields).some((name) => ADVANCED.test(name))) open();
    // After the fold is open: what is hidden takes no focus.
    setTimeout(() => form.getInputNode(first)?.focus(), 0);
  }

  function refused(error: Error, place: number) {
    const refusal = refusalOf(error, place);
    show(refusal.fields);
    setRest(refusal.rest.length > 0 ? { said: refusal.rest, error } : null);
  }

  function tryIt() {
    const { hasErrors, errors } = form.validate();
    if (hasErrors) show(errors as Record<string, string>);
    else test.mutate({ config: toConfig(form.values) }, { onError: (error) => refused(error, 0) });
  }

  function save(values: SourceForm) {
    const wanted = toConfig(values);
    let place = 0;
    configure.mutate(
      (sources) => {
        place = source === null ? sources.length : sources.findIndex(({ name }) => name === source.name);
        // Taken out by somebody else meanwhile: it comes back as it stands here.
        if (place < 0) place = sources.length;
        return [...sources.slice(0, place), wanted, ...sources.slice(place + 1)];
      },
      {
        onSuccess: () => {
          notifyDone("Saved", source === null ? `${wanted.name} can be indexed now.` : `${wanted.name} is changed.`);
          onClose();
        },
        onError: (error) => refused(error, place),
      },
    );
  }

  return (
    <form onSubmit={form.onSubmit(save, (errors) => show(errors as Record<string, string>))} noValidate>
      <Stack>
        <SourceFields form={form} isNew={source === null} />
        <div>
          <Button
            variant="subtle"
            size="compact-sm"
            leftSection={<IconAdjustments size={16} aria-hidden />}
            onClick={toggle}
            aria-expanded={advanced}
            aria-controls="source-advanced"
          >
            Advanced
          </Button>
          <Collapse expanded={advanced} id="source-advanced" pt="sm">
            <AdvancedFields form={form} />
          </Collapse>
        </div>
        <div role="status">{test.isSuccess && <Answer tested={test.data} form={form} />}</div>
        {rest !== null && (
          <FormError error={rest.error}>
            {rest.said.map((sentence) => (
              <Text key={sentence} size="sm">
                {sentence}
              </Text>
            ))}
          </FormError>
        )}
        <Group justify="space-between" className={classes.foot}>
          <Button variant="default" leftSection={<IconPlugConnected size={16} aria-hidden />} loading={test.isPending} onClick={tryIt}>
            Test connection
          </Button>
          <Group gap="sm">
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button type="submit" loading={configure.isPending}>
              {test.data?.ok === false ? "Save all the same" : "Save"}
            </Button>
          </Group>
        </Group>
      </Stack>
    </form>
  );
}

/** The fingerprint in the words of a refused host key. */
const FINGERPRINT = /showed the host key (SHA256:[A-Za-z0-9+/]{43})/;

function Answer({ tested, form }: { tested: Tested; form: Form }) {
  const shown = form.values.type === "sftp" && !tested.ok ? FINGERPRINT.exec(tested.message)?.[1] : undefined;
  return (
    <Paper p="md" bg="transparent">
      <Text fw={550} size="sm">
        The answer of the test
      </Text>
      <TestedAnswer tested={tested} />
      {shown !== undefined && (
        <Text size="sm" mt={8}>
          Is it the key that whoever runs the server names?{" "}
          <Anchor component="button" type="button" fz="inherit" onClick={() => form.setFieldValue("host_fingerprint", shown)}>
            Take this host key
          </Anchor>
        </Text>
      )}
    </Paper>
  );
}
