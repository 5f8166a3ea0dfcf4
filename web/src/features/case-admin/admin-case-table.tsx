/** The rows of the admins' list: badge of the files, switch for the students' view, edit and withdraw. */
import { ActionIcon, Anchor, Badge, Group, Switch, Text, Tooltip } from "@mantine/core";
import { IconArchive, IconPencil } from "@tabler/icons-react";
import { useState } from "react";
import { Link } from "react-router";

import { FilmLabel } from "@/components/film-label";
import { notifyFailed } from "@/components/notify";
import { RecordTable, type Column } from "@/components/record-table";
import type { Case, Identifiable } from "@/lib/api/types";
import { bytes, caseNumber, plural, time } from "@/lib/format";

import { PublishGate } from "./publish-gate";
import { gateCounts, usePublish } from "./save-case";

interface AdminCaseTableProps {
  cases: Case[];
  stale: boolean;
  onEdit: (item: Case) => void;
  onWithdraw: (item: Case) => void;
}

export function AdminCaseTable({ cases, stale, onEdit, onWithdraw }: AdminCaseTableProps) {
  const publish = usePublish();
  const [gate, setGate] = useState<{ item: Case; counts: Identifiable } | null>(null);

  function change(item: Case, published: boolean, confirmed = false) {
    publish.mutate(
      { id: item.id, published, confirmed },
      {
        onSuccess: () => setGate(null),
        onError: (error) => {
          const counts = gateCounts(error);
          if (counts === null) notifyFailed(`Case ${caseNumber(item.caseNumber)} was not changed`, error);
          else setGate({ item, counts });
        },
      },
    );
  }

  const columns: Column<Case>[] = [
    {
      key: "number",
      header: "Case",
      width: "8.5rem",
      phone: "lead",
      cell: (item) => <FilmLabel examType={item.examType} number={item.caseNumber} />,
    },
    {
      key: "title",
      header: "Title",
      phone: "lead",
      cell: (item) => (
        <Anchor component={Link} to={`/cases/${item.id}`} c="inherit" fw={550}>
          {item.title === "" ? "Untitled" : item.title}
        </Anchor>
      ),
    },
    { key: "files", header: "DICOMs", width: "9rem", cell: (item) => <FilesBadge item={item} /> },
    {
      key: "published",
      header: "Published",
      width: "6.5rem",
      cell: (item) => (
        <Switch
          aria-label={`Case ${caseNumber(item.caseNumber)} is published`}
          checked={item.published}
          disabled={publish.isPending && publish.variables.id === item.id}
          onChange={(event) => change(item, event.currentTarget.checked)}
        />
      ),
    },
    {
      key: "updated",
      header: "Changed",
      width: "11rem",
      phone: "hide",
      cell: (item) => (
        <Text size="sm" c="dimmed">
          {time(item.updatedAt)}
        </Text>
      ),
    },
    {
      key: "actions",
      header: "",
      label: "Actions",
      width: "5.5rem",
      phone: "corner",
      cell: (item) => (
        <Group gap={2} wrap="nowrap" justify="flex-end">
          <Tooltip label="Edit">
            <ActionIcon variant="subtle" color="gray" size="lg" aria-label={`Edit case ${caseNumber(item.caseNumber)}`} onClick={() => onEdit(item)}>
              <IconPencil size={18} stroke={1.6} />
            </ActionIcon>
          </Tooltip>
          <Tooltip label="Withdraw">
            <ActionIcon
              variant="subtle"
              color="gray"
              size="lg"
              aria-label={`Withdraw case ${caseNumber(item.caseNumber)}`}
              onClick={() => onWithdraw(item)}
            >
              <IconArchive size={18} stroke={1.6} />
            </ActionIcon>
          </Tooltip>
        </Group>
      ),
    },
  ];

  return (
    <>
      <RecordTable caption="All cases" columns={columns} rows={cases} rowKey={({ id }) => id} stale={stale} />
      <PublishGate
        item={gate?.item ?? null}
        counts={gate?.counts ?? null}
        pending={publish.isPending}
        onPublish={() => {
          if (gate !== null) change(gate.item, true, true);
        }}
        onClose={() => setGate(null)}
      />
    </>
  );
}

function FilesBadge({ item }: { item: Case }) {
  const there = item.exists && item.fileCount > 0;
  const label = there
    ? `${plural(item.fileCount, "file")}, ${bytes(item.totalSizeBytes)}`
    : `No files imported; expected at ${item.expectedPath}`;
  return (
    <Tooltip label={label}>
      <Badge color={there ? "green" : "red"} tabIndex={0} aria-label={label} role="img">
        {there ? plural(item.fileCount, "file") : "No files"}
      </Badge>
    </Tooltip>
  );
}
