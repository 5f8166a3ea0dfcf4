/** Has a de-identified copy made that failed: once more as it was, or after its maker looked at what is burned into the pictures. */
import { Alert, Button, Checkbox, Group, Modal, Stack, Text } from "@mantine/core";
import { IconAlertTriangle } from "@tabler/icons-react";
import { useState } from "react";

import { FormError } from "@/components/form-error";
import { notifyDone } from "@/components/notify";
import { PersonName } from "@/components/person-name";
import { useFocusBack } from "@/components/use-focus-back";

import { useCopyAgain, type Share } from "./share-api";
import { BURNED_IN_WORDS, seriesWords } from "./share-words";

export function CopyAgain({ share, onClose }: { share: Share; onClose: () => void }) {
  useFocusBack();
  const copy = useCopyAgain();
  const [accepted, setAccepted] = useState(false);
  function send() {
    copy.mutate(
      { id: share.id, accept_burned_in: accepted },
      {
        onSuccess: () => {
          onClose();
          notifyDone("The copy is being made", "The link opens as soon as it is ready.");
        },
      },
    );
  }
  return (
    <Modal opened onClose={onClose} title="Make the copy again" size="lg">
      <Stack>
        <Text component="div">
          <PersonName value={share.series.PatientName ?? ""} /> · <bdi>{seriesWords(share.series)}</bdi>
        </Text>
        <Alert variant="light" color="red" icon={<IconAlertTriangle size={18} />} title="The de-identified copy could not be made">
          {share.copy_message === "" ? "Why is not known." : share.copy_message}
        </Alert>
        <Checkbox
          label={BURNED_IN_WORDS}
          description="Only if you looked at every one of them. De-identifying changes the header alone; the pictures go out as they are."
          checked={accepted}
          onChange={(event) => setAccepted(event.currentTarget.checked)}
        />
        {copy.isError && <FormError error={copy.error} />}
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button loading={copy.isPending} onClick={send}>
            Make the copy
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}
