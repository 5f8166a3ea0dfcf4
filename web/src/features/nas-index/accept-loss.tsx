/** After a run that met far fewer files than are known: either the mount is broken, or they were removed on purpose. */
import { Alert, Button, Checkbox, Group, Modal, Stack, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconFolderX } from "@tabler/icons-react";
import { useState } from "react";

import { FormError } from "@/components/form-error";
import { notifyDone } from "@/components/notify";
import { useCan } from "@/lib/session/use-session";

import { useStartRun, type RunStatus } from "./runs-api";

export function AcceptLoss({ run }: { run: RunStatus }) {
  const mayRun = useCan("index.run");
  const [opened, { open, close }] = useDisclosure(false);
  const name = run.source ?? "the source";
  return (
    <Alert variant="light" mt="md" color="yellow" icon={<IconFolderX size={18} />} title="Most files were missing">
      <Text size="sm">
        {name} had far fewer files than are known of it. That is what a broken mount looks like, so nothing was taken out of the index. Check that all of
        the source is mounted, and start a run again.
      </Text>
      {mayRun && (
        <Button variant="default" size="xs" mt="sm" onClick={open}>
          The files were removed on purpose…
        </Button>
      )}
      <Modal opened={opened} onClose={close} title={`Accept what ${name} has lost?`}>
        <Question source={name} onClose={close} />
      </Modal>
    </Alert>
  );
}

function Question({ source, onClose }: { source: string; onClose: () => void }) {
  const [sure, setSure] = useState(false);
  const start = useStartRun();
  return (
    <Stack>
      <Text>
        A run looks at {source} once more and takes everything that is missing there out of the index: those series can no longer be found. Nothing on
        the NAS or in Orthanc changes, and files that come back are indexed again.
      </Text>
      <Checkbox
        label={`I have looked: all of ${source} is mounted, and the files were removed on purpose.`}
        checked={sure}
        onChange={(event) => setSure(event.currentTarget.checked)}
        data-autofocus
      />
      {start.isError && <FormError error={start.error} />}
      <Group justify="flex-end">
        <Button variant="default" onClick={onClose}>
          Keep the index as it is
        </Button>
        <Button
          color="red"
          disabled={!sure}
          loading={start.isPending}
          onClick={() =>
            start.mutate(
              { source, acceptLoss: true },
              {
                onSuccess: () => {
                  notifyDone("Run started", "What is missing is taken out of the index.");
                  onClose();
                },
              },
            )
          }
        >
          Take them out
        </Button>
      </Group>
    </Stack>
  );
}
