/** The sources: where each is, how it stands, and what can be done with it. */
import { ActionIcon, Anchor, Badge, Button, Group, Menu, Text } from "@mantine/core";
import { IconDots, IconPencil, IconPlayerPlay, IconTrash } from "@tabler/icons-react";
import { Link } from "react-router";

import { notifyDone, notifyFailed } from "@/components/notify";
import { RecordTable, type Column } from "@/components/record-table";
import { count } from "@/lib/format";

import { ContentBadge, OfflineBadge } from "./badges";
import { ConnectionTest } from "./connection-test";
import { stateOf } from "./run-words";
import { useStartRun } from "./runs-api";
import { SiteTime } from "./site-time";
import type { Source } from "./sources-api";
import classes from "./nas-index.module.css";

interface SourcesTableProps {
  sources: Source[];
  onEdit: (name: string) => void;
  onRemove: (source: Source) => void;
}

export function SourcesTable({ sources, onEdit, onRemove }: SourcesTableProps) {
  const columns: Column<Source>[] = [
    ...COLUMNS,
    {
      key: "acts",
      label: "Change",
      header: "",
      width: "3.5rem",
      phone: "corner",
      cell: (source) => source.configured && <Acts source={source} onEdit={onEdit} onRemove={onRemove} />,
    },
  ];
  return <RecordTable caption="Sources" columns={columns} rows={sources} rowKey={({ name }) => name} />;
}

const COLUMNS: Column<Source>[] = [
  {
    key: "name",
    header: "Source",
    phone: "lead",
    cell: (source) => (
      <>
        <Group gap={8}>
          <Text component="span" fw={550} className={classes.said}>
            <bdi>{source.name}</bdi>
          </Text>
          {!source.online && <OfflineBadge reason={source.offline_reason} />}
          <ContentBadge content={source.content} />
          {!source.enabled && <Badge color="gray">Switched off</Badge>}
          {!source.configured && !source.name.includes("/") && <Badge color="gray">Not configured any more</Badge>}
        </Group>
        {source.location !== source.name && (
          <Text component="div" c="dimmed" className={classes.path} dir="ltr">
            {source.location}
          </Text>
        )}
      </>
    ),
  },
  {
    key: "run",
    header: "Last run",
    width: "11rem",
    cell: ({ last_run: run }) =>
      run?.state == null || run.run_id === null ? (
        "Never"
      ) : (
        <div className={classes.kind}>
          <Badge color={stateOf(run).color}>{stateOf(run).label}</Badge>
          <Anchor component={Link} to={`/nas/runs/${run.run_id}`} size="sm" c="dimmed">
            <SiteTime of={run.started_at} />
          </Anchor>
        </div>
      ),
  },
  { key: "series", header: "Series", width: "5.5rem", align: "right", cell: ({ series }) => count(series) },
  { key: "files", header: "Files", width: "5.5rem", align: "right", cell: ({ files }) => count(files) },
  {
    key: "test",
    header: "Actions",
    width: "34%",
    cell: (source) => (
      <Group gap="xs" align="flex-start" className={classes.acts}>
        <IndexNow source={source} />
        <ConnectionTest name={source.name} />
      </Group>
    ),
  },
];

function IndexNow({ source }: { source: Source }) {
  const start = useStartRun();
  const mayStart = source.enabled && (source.configured || source.name.includes("/")) && source.last_run?.running !== true;
  return (
    <Button
      size="xs"
      variant="default"
      leftSection={<IconPlayerPlay size={15} aria-hidden />}
      loading={start.isPending}
      disabled={!mayStart}
      onClick={() =>
        start.mutate(
          { source: source.name },
          {
            onSuccess: () => notifyDone("Run started", "It goes on by itself: you can leave this page."),
            onError: (error) => notifyFailed("The run did not start", error),
          },
        )
      }
      aria-label={`Index ${source.name} now`}
    >
      Index
    </Button>
  );
}

function Acts({ source, onEdit, onRemove }: Omit<SourcesTableProps, "sources"> & { source: Source }) {
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <ActionIcon variant="subtle" color="gray" size="lg" aria-label={`Change ${source.name}`}>
          <IconDots size={18} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item leftSection={<IconPencil size={16} aria-hidden />} onClick={() => onEdit(source.name)}>
          Edit
        </Menu.Item>
        <Menu.Item color="red" leftSection={<IconTrash size={16} aria-hidden />} onClick={() => onRemove(source)}>
          Remove
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
