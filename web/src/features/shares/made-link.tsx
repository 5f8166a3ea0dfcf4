/** A link that was made just now: the only time that it is shown. */
import { Alert, Button, Code, Group, Modal, Paper, Stack, Text, Textarea, TextInput, Title } from "@mantine/core";
import { useWindowEvent } from "@mantine/hooks";
import { IconEyeOff } from "@tabler/icons-react";
import { useEffect, useState } from "react";
import { Link, useBlocker } from "react-router";

import { PageHead } from "@/components/page-head";

import { Copy } from "./copy";
import { QrCode } from "./qr-code";
import type { ShareableSeries } from "./series-to-share";
import type { CreatedShare, NewShare } from "./share-api";
import { exactTime, mailText } from "./share-words";
import classes from "./shares.module.css";

export interface Made {
  created: CreatedShare;
  asked: NewShare;
  series: ShareableSeries;
}

export function MadeLink({ made: { created, asked, series }, back }: { made: Made; back: string | undefined }) {
  const [isCopied, setIsCopied] = useState(false);
  const leaving = useBlocker(!isCopied);
  useWindowEvent("beforeunload", (event) => {
    if (!isCopied) event.preventDefault();
  });
  const mail = mailText({
    url: created.url,
    expiresAt: created.expires_at,
    facts: series.facts,
    fileCount: series.fileCount,
    sizeBytes: series.sizeBytes,
    hasPasscode: asked.password !== null,
    deidentified: asked.deidentified,
    maxDownloads: asked.max_downloads,
  });
  const taken = () => setIsCopied(true);
  // The form is gone, and with it what had the focus: the reader starts at the new page.
  useEffect(() => {
    window.scrollTo(0, 0);
    document.getElementById("page")?.focus({ preventScroll: true });
  }, []);
  return (
    <>
      <PageHead title="Link created" lead={`It works until ${exactTime(created.expires_at)}.`} />
      <Stack gap="lg" className={classes.narrow}>
        <Alert variant="light" color="yellow" icon={<IconEyeOff size={18} />} title="This is the only time that the link is shown">
          Only its fingerprint is kept here. Copy it now; a link that was lost is revoked under “My links”, and another one made.
        </Alert>
        <Paper p="lg" component="section" aria-label="Link">
          <div className={classes.made}>
            <Stack gap="md" miw={0}>
              <TextInput label="Link" value={created.url} readOnly dir="ltr" classNames={{ input: classes.code }} onFocus={(event) => event.currentTarget.select()} />
              <Group gap="xs">
                <Copy value={created.url} label="Copy link" onCopied={taken} filled />
              </Group>
              {asked.password !== null && (
                <div>
                  <Text size="sm" fw={550} mb={4}>
                    Passcode
                  </Text>
                  <Group gap="sm">
                    <Code fz="md">{asked.password}</Code>
                    <Copy value={asked.password} label="Copy passcode" />
                  </Group>
                  <Text size="sm" c="dimmed" mt={6}>
                    It goes another way than the link: by telephone or text message.
                  </Text>
                </div>
              )}
            </Stack>
            <QrCode text={created.url} />
          </div>
        </Paper>
        <Paper p="lg" component="section" aria-label="Text for a mail">
          <Title order={2} fz="h3" mb="xs">
            Text for a mail
          </Title>
          <Textarea aria-label="Text for a mail" value={mail} readOnly autosize minRows={6} onFocus={(event) => event.currentTarget.select()} />
          <Group mt="sm" justify="space-between" gap="sm">
            <Text size="sm" c="dimmed">
              {asked.password === null ? "Without the patient’s name." : "Without the patient’s name and without the passcode."}
            </Text>
            <Copy value={mail} label="Copy all" onCopied={taken} />
          </Group>
        </Paper>
        <Group justify="flex-end">
          {back !== undefined && (
            <Button component={Link} to={back} variant="default">
              Back
            </Button>
          )}
          <Button component={Link} to="/shares" variant={isCopied ? "filled" : "default"}>
            To my links
          </Button>
        </Group>
      </Stack>
      <Modal opened={leaving.state === "blocked"} onClose={() => leaving.reset?.()} title="Leave without the link?">
        <Stack>
          <Text>The link was not copied, and it is not shown again.</Text>
          <Group justify="flex-end">
            <Button variant="default" onClick={() => leaving.proceed?.()}>
              Leave
            </Button>
            <Button onClick={() => leaving.reset?.()} data-autofocus>
              Stay here
            </Button>
          </Group>
        </Stack>
      </Modal>
    </>
  );
}
