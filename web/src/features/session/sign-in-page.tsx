/** The sign-in page. */
import { Alert, Button, Code, PasswordInput, Spoiler, Stack, Text, TextInput, Title } from "@mantine/core";
import { useDocumentTitle } from "@mantine/hooks";
import { IconAlertCircle, IconInfoCircle } from "@tabler/icons-react";
import { useMutation } from "@tanstack/react-query";
import { useEffect, useState, type SyntheticEvent } from "react";
import { Navigate, useSearchParams } from "react-router";

import { Logo } from "@/components/logo";
import { RequestId } from "@/components/states";
import { ApiError } from "@/lib/api/errors";
import { session } from "@/lib/session/browser";
import { useSession } from "@/lib/session/use-session";

import { LightBox } from "./light-box";
import { isAnotherProgram, returnPath, signInMessage } from "./sign-in-message";
import classes from "./sign-in-page.module.css";

export function SignInPage() {
  useDocumentTitle("Sign in · Reading Room");
  const state = useSession();
  const [params] = useSearchParams();
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const signIn = useMutation({
    mutationFn: () => session.signIn(name.trim(), password),
    onError: (error) => {
      if (error instanceof ApiError && error.status === 401) setPassword("");
    },
  });

  const next = returnPath(params.get("next"));
  const leaves = state.status === "signedIn" && isAnotherProgram(next);
  useEffect(() => {
    if (leaves) window.location.replace(next);
  }, [leaves, next]);
  if (leaves) return null;
  if (state.status === "signedIn") return <Navigate to={next} replace />;

  function submit(event: SyntheticEvent) {
    event.preventDefault();
    signIn.mutate();
  }

  const expired = state.status === "signedOut" && state.reason === "expired" && !signIn.isError;
  return (
    <main className={classes.page}>
      <LightBox />
      <div className={classes.side}>
        <form className={classes.form} onSubmit={submit}>
          <Stack gap="md">
            <div className={classes.brand}>
              <Logo size={34} />
              <span>Reading Room</span>
            </div>
            <div>
              <Title order={1}>Sign in</Title>
              <Text c="dimmed" mt={4}>
                Teaching cases, with their images.
              </Text>
            </div>
            {expired && (
              <Alert variant="light" color="yellow" icon={<IconInfoCircle size={18} />} role="status">
                Your session has ended. Sign in again to go on where you were.
              </Alert>
            )}
            {signIn.isError && (
              <Alert variant="light" color="red" icon={<IconAlertCircle size={18} />} role="alert">
                {signInMessage(signIn.error)}
                {!isExpected(signIn.error) && <RequestId error={signIn.error} />}
              </Alert>
            )}
            <TextInput
              label="User name"
              name="username"
              autoComplete="username"
              autoCapitalize="none"
              spellCheck={false}
              required
              withAsterisk={false}
              autoFocus
              value={name}
              onChange={(event) => setName(event.currentTarget.value)}
            />
            <PasswordInput
              label="Password"
              name="password"
              autoComplete="current-password"
              required
              withAsterisk={false}
              value={password}
              onChange={(event) => setPassword(event.currentTarget.value)}
              visibilityToggleButtonProps={{ "aria-label": "Show the password" }}
            />
            <Button type="submit" size="md" loading={signIn.isPending} mt="xs">
              Sign in
            </Button>
            <Spoiler maxHeight={0} showLabel="First start of this server?" hideLabel="Hide" fz="sm">
              <Text size="sm" c="dimmed" mb={6}>
                The first start made the account <Code>admin</Code>. Its password was printed once where Reading Room was
                started, and is kept in <Code>secrets/admin_password</Code> in the data folder.
              </Text>
            </Spoiler>
          </Stack>
        </form>
      </div>
    </main>
  );
}

/** Wrong password and too many tries need no request id: there is nothing to look up. */
function isExpected(error: Error): boolean {
  return error instanceof ApiError && (error.status === 401 || error.status === 429);
}
