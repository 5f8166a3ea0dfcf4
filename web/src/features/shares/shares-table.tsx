/** The rows of links. */
import { ActionIcon, Anchor, Badge, Menu, Progress, Text, Tooltip } from "@mantine/core";
import { IconBan, IconCalendarPlus, IconDotsVertical, IconHistory, IconLock, IconLockOff, IconPhotoScan, IconRefresh, IconUserOff } from "@tabler/icons-react";
import { Link, useLocation } from "react-router";

import { PersonName } from "@/components/person-name";
import { RecordTable, type Column } from "@/components/record-table";
import { steerRows } from "@/components/row-steering";
import { dicomDate, personName } from "@/lib/dicom";
import { count, plural, time } from "@/lib/format";
import { viewerPath } from "@/lib/viewer-address";

import type { Share } from "./share-api";
import { originWords, seriesWords, sinceWords, STATE_WORDS, untilWords } from "./share-words";
import classes from "./shares.module.css";
import { useNow } from "./use-now";

export type RowAct = "log" | "extend" | "copy" | "revoke";

interface SharesTableProps {
  shares: Share[];
  stale: boolean;
  withMaker: boolean;
  onAct: (act: RowAct, share: Share) => void;
}

export function SharesTable({ shares, stale, withMaker, onAct }: SharesTableProps) {
  const now = useNow(60_000);
  const columns = columnsAt(now, onAct).filter(({ key }) => key !== "maker" || withMaker);
  return <RecordTable caption="Links" columns={columns} rows={shares} rowKey={({ id }) => id} stale={stale} />;
}

function columnsAt(now: number, onAct: SharesTableProps["onAct"]): Column<Share>[] {
  return [
    {
      key: "series",
      header: "Series",
      phone: "lead",
      cell: (share) => (
        <>
          <Anchor component="button" type="button" c="inherit" className={classes.name} onClick={() => onAct("log", share)} data-row-link onKeyDown={steerRows}>
            <PersonName value={share.series.PatientName ?? ""} />
          </Anchor>
          <Text size="sm" c="dimmed" component="div">
            <bdi>{seriesWords(share.series)}</bdi> · {dicomDate(share.series.StudyDate ?? "")} · {originWords(share)}
          </Text>
          {share.note !== "" && (
            <Text size="sm" component="div" lineClamp={2}>
              <bdi>{share.note}</bdi>
            </Text>
          )}
        </>
      ),
    },
    { key: "maker", header: "By", width: "7rem", cell: ({ created_by }) => created_by },
    {
      key: "state",
      header: "State",
      width: "11rem",
      cell: (share) => (
        <div>
          <span className={classes.marks}>
            <StateBadge share={share} now={now} />
            <Marks share={share} now={now} />
          </span>
          <CopyLine share={share} />
        </div>
      ),
    },
    { key: "created", header: "Created", width: "8rem", phone: "hide", cell: ({ created_at }) => <Moment iso={created_at} /> },
    {
      key: "ends",
      header: "Ends",
      width: "9rem",
      cell: ({ expires_at, state }) => (
        <div>
          <Moment iso={expires_at} />
          {state !== "revoked" && state !== "expired" && state !== "owner_disabled" && (
            <Text size="xs" c="dimmed" component="div">
              {untilWords(expires_at, now)}
            </Text>
          )}
        </div>
      ),
    },
    {
      key: "downloads",
      header: "Downloads",
      width: "6.5rem",
      align: "right",
      cell: ({ download_count, max_downloads }) => (max_downloads === null ? count(download_count) : `${count(download_count)} of ${count(max_downloads)}`),
    },
    {
      key: "used",
      header: "Last use",
      width: "8rem",
      cell: ({ last_accessed }) =>
        last_accessed === null ? (
          <Text component="span" size="sm" c="dimmed">
            never
          </Text>
        ) : (
          <Tooltip label={time(last_accessed, true)}>
            <span tabIndex={0}>{sinceWords(last_accessed, now)}</span>
          </Tooltip>
        ),
    },
    {
      key: "acts",
      header: "",
      label: "Actions",
      width: "3.5rem",
      phone: "corner",
      align: "right",
      cell: (share) => <Acts share={share} onAct={onAct} />,
    },
  ];
}

function StateBadge({ share: { state, copy_message, locked_until }, now }: { share: Share; now: number }) {
  if (state === "active" && isShut(locked_until, now)) {
    return (
      <Tooltip label="Too many wrong passcodes: it takes none until it is extended" multiline maw={260}>
        <Badge color="red" tabIndex={0}>
          Locked
        </Badge>
      </Tooltip>
    );
  }
  const { label, color, hint } = STATE_WORDS[state];
  return (
    <Tooltip label={state === "failed" && copy_message !== "" ? copy_message : hint} multiline maw={260}>
      <Badge color={color} tabIndex={0}>
        {label}
      </Badge>
    </Tooltip>
  );
}

/** How far a de-identified copy is; why there is none. */
function CopyLine({ share: { state, copy_done, copy_message, file_count } }: { share: Share }) {
  if (state === "preparing") {
    return (
      <Text size="xs" c="dimmed" component="div" mt={4}>
        {count(copy_done)} of {plural(file_count, "file")}
        <Progress value={(100 * copy_done) / Math.max(file_count, 1)} size="xs" mt={3} aria-label="Files of the copy that are done" />
      </Text>
    );
  }
  if (state !== "failed" || copy_message === "") return null;
  return (
    <Text size="xs" c="dimmed" component="div" mt={4} lineClamp={3} title={copy_message}>
      {copy_message}
    </Text>
  );
}

/** The server writes the year 9999 for "not until it is extended"; what ends within the hour passes by itself. */
function isShut(lockedUntil: string | null, now: number): boolean {
  return lockedUntil !== null && Date.parse(lockedUntil) - now > 365 * 86_400_000;
}

function Marks({ share, now }: { share: Share; now: number }) {
  const isWaiting = share.locked_until !== null && !isShut(share.locked_until, now);
  return (
    <>
      {share.has_password ? (
        <Tooltip label={isWaiting ? "Wrong passcodes came: no other is taken for a while" : "Asks for a passcode"}>
          <IconLock size={16} role="img" aria-label="Asks for a passcode" />
        </Tooltip>
      ) : (
        <Tooltip label="Asks for no passcode">
          <IconLockOff size={16} role="img" aria-label="Asks for no passcode" opacity={0.55} />
        </Tooltip>
      )}
      {share.deidentified && (
        <Tooltip label="De-identified copy">
          <IconUserOff size={16} role="img" aria-label="De-identified copy" />
        </Tooltip>
      )}
    </>
  );
}

function Moment({ iso }: { iso: string }) {
  return <time dateTime={iso}>{time(iso)}</time>;
}

function Acts({ share, onAct }: { share: Share; onAct: SharesTableProps["onAct"] }) {
  const { pathname, search } = useLocation();
  const isRevoked = share.state === "revoked";
  const copyFailed = share.copy_state === "failed" && !isRevoked;
  return (
    <Menu position="bottom-end" withinPortal>
      <Menu.Target>
        <ActionIcon variant="subtle" color="gray" aria-label={`Actions for the link to ${personName(share.series.PatientName ?? "")}`}>
          <IconDotsVertical size={18} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item leftSection={<IconHistory size={16} />} onClick={() => onAct("log", share)}>
          Who used it
        </Menu.Item>
        {share.study_uid !== "" && share.series_uid !== "" && (
          <Menu.Item
            component={Link}
            to={viewerPath(share.study_uid, share.series_uid)}
            state={{ back: pathname + search }}
            leftSection={<IconPhotoScan size={16} />}
          >
            Open in viewer
          </Menu.Item>
        )}
        <Menu.Item leftSection={<IconCalendarPlus size={16} />} disabled={isRevoked} onClick={() => onAct("extend", share)}>
          Extend or change
        </Menu.Item>
        {copyFailed && (
          <Menu.Item leftSection={<IconRefresh size={16} />} onClick={() => onAct("copy", share)}>
            Make the copy again
          </Menu.Item>
        )}
        <Menu.Item leftSection={<IconBan size={16} />} color="red" disabled={isRevoked} onClick={() => onAct("revoke", share)}>
          Revoke
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
