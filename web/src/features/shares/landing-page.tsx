/** Where a link leads: for people outside, on a phone first. What it is, when it ends, the passcode, the download. */
import { Button, Loader, Stack, Text } from "@mantine/core";
import { useDocumentTitle } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { IconAlertTriangle, IconCloudOff, IconHourglass, IconLinkOff, IconRefresh } from "@tabler/icons-react";
import { useEffect, type ReactNode } from "react";
import { useParams } from "react-router";

import { Logo } from "@/components/logo";
import { RequestId } from "@/components/states";
import { ApiError } from "@/lib/api/errors";
import { forgetFrames } from "@/lib/frames/forget";

import { heldQuery, type Held } from "./held-api";
import { LandingSeries } from "./landing-series";
import { PasscodeGate } from "./passcode-gate";
import { useIsOver } from "./use-is-over";
import classes from "./landing.module.css";

/** The address of everything that is no link, or none any more. */
const NOWHERE = "none";

export function LandingPage() {
  // Of no patient: titles stand in histories and on shared screens.
  useDocumentTitle("Shared images · Reading Room");
  const { id = NOWHERE } = useParams();
  return (
    <div className={classes.page}>
      <header className={classes.brand}>
        <Logo size={26} />
        <span>Reading Room</span>
      </header>
      <main className={classes.main}>{id === NOWHERE ? <NotValid /> : <Opened key={id} id={id} />}</main>
    </div>
  );
}

function Opened({ id }: { id: string }) {
  const found = useQuery(heldQuery(id));
  const isOver = useIsOver(found.data?.expires_at);
  if (found.isPending) return <Waiting />;
  if (isGone(found.error) || isOver) return found.data === undefined ? <NotValid /> : <Ended />;
  if (found.data === undefined) return <Unreachable error={found.error} retry={() => void found.refetch()} />;
  return <Shown held={found.data} retry={() => void found.refetch()} />;
}

function Shown({ held, retry }: { held: Held; retry: () => void }) {
  if (held.needs_passcode && !held.unlocked) return <PasscodeGate held={held} />;
  if (held.state === "preparing") {
    return (
      <Notice icon={<IconHourglass size={34} stroke={1.3} />} title="Being prepared" status>
        A de-identified copy of these images is being made. This page goes on by itself as soon as it is there.
      </Notice>
    );
  }
  if (held.state === "failed") {
    return (
      <Notice icon={<IconAlertTriangle size={34} stroke={1.3} />} title="These images cannot be had at the moment" action={<TryAgain retry={retry} />}>
        The link is right, but what it leads to cannot be read. Try again later, or ask whoever sent it to you.
      </Notice>
    );
  }
  return <LandingSeries held={held} />;
}

/** One answer for all that is not, or no longer, valid. */
function isGone(error: Error | null): boolean {
  return error instanceof ApiError && error.status === 404;
}

function NotValid() {
  useForgotten();
  return (
    <Notice icon={<IconLinkOff size={34} stroke={1.3} />} title="This link is not valid, or no longer">
      It may have ended, or a letter of it is missing. Open it once more from the message that it came with, or ask whoever sent it to you for a new one.
    </Notice>
  );
}

function Ended() {
  useForgotten();
  return (
    <Notice icon={<IconLinkOff size={34} stroke={1.3} />} title="This link has ended">
      It worked until just now. If you still need the images, ask whoever sent it to you for a new one.
    </Notice>
  );
}

/** What the viewer kept of a link's images goes with the link, also where its end is met outside of the viewer. */
function useForgotten(): void {
  useEffect(() => void forgetFrames(), []);
}

function Unreachable({ error, retry }: { error: Error; retry: () => void }) {
  return (
    <Notice icon={<IconCloudOff size={34} stroke={1.3} />} title="No connection" action={<TryAgain retry={retry} />}>
      {error.message}
      <RequestId error={error} />
    </Notice>
  );
}

function TryAgain({ retry }: { retry: () => void }) {
  return (
    <Button variant="default" leftSection={<IconRefresh size={16} aria-hidden />} onClick={retry}>
      Try again
    </Button>
  );
}

function Waiting() {
  return (
    <div className={classes.waiting} role="status" aria-label="Loading">
      <Loader size="sm" />
    </div>
  );
}

interface NoticeProps {
  icon: ReactNode;
  title: string;
  children: ReactNode;
  action?: ReactNode;
  status?: boolean;
}

function Notice({ icon, title, children, action, status = false }: NoticeProps) {
  return (
    <section className={classes.card}>
      <Stack gap="sm" align="flex-start" className={classes.notice} role={status ? "status" : undefined}>
        <Text component="span" c="dimmed" aria-hidden>
          {icon}
        </Text>
        <h1 className={classes.title}>{title}</h1>
        <Text c="dimmed" component="div">
          {children}
        </Text>
        {action}
      </Stack>
    </section>
  );
}
