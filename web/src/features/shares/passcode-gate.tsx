/** The one field before a link that asks for a passcode. */
import { Alert, Button, PasswordInput, Stack, Text } from "@mantine/core";
import { IconAlertCircle, IconLock } from "@tabler/icons-react";
import { useRef, useState, type SyntheticEvent } from "react";

import { RequestId } from "@/components/states";
import { ApiError } from "@/lib/api/errors";

import { useUnlock, type Held } from "./held-api";
import { Ends } from "./landing-ends";
import classes from "./landing.module.css";

export function PasscodeGate({ held }: { held: Held }) {
  const [passcode, setPasscode] = useState("");
  const field = useRef<HTMLInputElement>(null);
  const unlock = useUnlock(held.id);

  function submit(event: SyntheticEvent) {
    event.preventDefault();
    unlock.mutate(passcode, {
      onError: (error) => {
        if (isRefusal(error)) setPasscode("");
        field.current?.focus();
      },
    });
  }

  return (
    <section className={classes.card}>
      <form className={classes.notice} onSubmit={submit}>
        <Stack gap="md">
          <Text component="span" c="dimmed" aria-hidden lh={1}>
            <IconLock size={34} stroke={1.3} />
          </Text>
          <div>
            <h1 className={classes.title}>Passcode needed</h1>
            <Text c="dimmed" mt={6}>
              Images were shared with you. Whoever sent you the link has the passcode for you.
            </Text>
          </div>
          {unlock.isError && (
            <Alert variant="light" color="red" icon={<IconAlertCircle size={18} />} role="alert">
              {isRefusal(unlock.error) ? (
                "That did not work. Check the passcode, capitals and small letters too. After several tries, wait a while before the next."
              ) : (
                <>
                  {unlock.error.message}
                  <RequestId error={unlock.error} />
                </>
              )}
            </Alert>
          )}
          <PasswordInput
            ref={field}
            label="Passcode"
            size="md"
            autoComplete="off"
            autoCapitalize="none"
            spellCheck={false}
            autoFocus
            required
            withAsterisk={false}
            value={passcode}
            onChange={(event) => setPasscode(event.currentTarget.value)}
            visibilityToggleButtonProps={{ "aria-label": "Show the passcode" }}
          />
          <Button type="submit" size="lg" fullWidth loading={unlock.isPending} disabled={passcode === ""}>
            Open
          </Button>
          <Ends expiresAt={held.expires_at} />
        </Stack>
      </form>
    </section>
  );
}

/** Wrong, or too soon after wrong ones: the answer does not tell, and nor do we. */
function isRefusal(error: Error): boolean {
  return error instanceof ApiError && (error.status === 404 || error.status === 429);
}
