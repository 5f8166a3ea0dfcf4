/** Before a case goes to students while its headers still say who the patient is: an explicit word is asked for. */
import { Alert, Button, Checkbox, Group, List, Modal, Stack, Text } from "@mantine/core";
import { IconAlertTriangle } from "@tabler/icons-react";
import { useState } from "react";

import type { Case, Identifiable } from "@/lib/api/types";
import { caseNumber, plural } from "@/lib/format";

interface PublishGateProps {
  item: Case | null;
  counts: Identifiable | null;
  pending: boolean;
  onPublish: () => void;
  onClose: () => void;
}

export function PublishGate({ item, counts, pending, onPublish, onClose }: PublishGateProps) {
  return (
    <Modal opened={item !== null && counts !== null} onClose={onClose} title={item === null ? "" : `Publish case ${caseNumber(item.caseNumber)}?`}>
      {counts !== null && <Question counts={counts} pending={pending} onPublish={onPublish} onClose={onClose} />}
    </Modal>
  );
}

function Question({ counts, pending, onPublish, onClose }: { counts: Identifiable } & Omit<PublishGateProps, "item" | "counts">) {
  const [sure, setSure] = useState(false);
  return (
    <Stack>
      <Alert variant="light" color="yellow" icon={<IconAlertTriangle size={18} />} title="The images may say who the patient is">
        <List size="sm">
          {counts.patientNames > 0 && <List.Item>A patient's name in {plural(counts.patientNames, "file")}</List.Item>}
          {counts.birthDates > 0 && <List.Item>A birth date in {plural(counts.birthDates, "file")}</List.Item>}
          {counts.burnedIn > 0 && <List.Item>Text burned into the picture in {plural(counts.burnedIn, "file")}</List.Item>}
        </List>
      </Alert>
      <Text size="sm">
        Everyone who reads cases can download these files. To be safe, leave the case unpublished and import it again with
        “De-identify” switched on.
      </Text>
      <Checkbox
        checked={sure}
        onChange={(event) => setSure(event.currentTarget.checked)}
        label="I have looked at these files, and they may be published as they are."
      />
      <Group justify="flex-end">
        <Button variant="default" onClick={onClose} data-autofocus>
          Leave unpublished
        </Button>
        <Button color="red" disabled={!sure} loading={pending} onClick={onPublish}>
          Publish all the same
        </Button>
      </Group>
    </Stack>
  );
}
