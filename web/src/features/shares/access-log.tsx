/** Who used a link: a drawer beside the list. */
import { Badge, Drawer, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { IconHistory } from "@tabler/icons-react";
import { useState } from "react";

import { Pager } from "@/components/pager";
import { PersonName } from "@/components/person-name";
import { Empty, Failed, LoadingRows } from "@/components/states";
import { RecordTable, type Column } from "@/components/record-table";
import { useFocusBack } from "@/components/use-focus-back";
import { bytes, time } from "@/lib/format";

import { accessesQuery, LOG_PAGE_SIZE, type Access, type Share } from "./share-api";
import { actWords, seriesWords } from "./share-words";

export function AccessLog({ share, onClose }: { share: Share; onClose: () => void }) {
  useFocusBack();
  const [page, setPage] = useState(1);
  const log = useQuery(accessesQuery(share.id, page));
  return (
    <Drawer opened onClose={onClose} position="right" size="xl" title="Who used this link" closeButtonProps={{ "aria-label": "Close" }}>
      <Text mb="md">
        <PersonName value={share.series.PatientName ?? ""} /> · <bdi>{seriesWords(share.series)}</bdi>
      </Text>
      {log.isPending && <LoadingRows rows={5} />}
      {log.isError && <Failed error={log.error} retry={() => void log.refetch()} />}
      {log.isSuccess && log.data.total === 0 && (
        <Empty title="Nobody yet" icon={<IconHistory size={34} stroke={1.3} />}>
          As soon as somebody opens the link, it stands here.
        </Empty>
      )}
      {log.isSuccess && log.data.total > 0 && (
        <>
          <RecordTable
            caption="Uses of the link"
            columns={COLUMNS}
            rows={log.data.items.map((access, place) => ({ ...access, place }))}
            rowKey={({ place }) => String(place)}
            stale={log.isPlaceholderData}
          />
          <Pager page={page} pageSize={LOG_PAGE_SIZE} total={log.data.total} onPage={setPage} />
        </>
      )}
    </Drawer>
  );
}

const COLUMNS: Column<Access & { place: number }>[] = [
  {
    key: "what",
    header: "What",
    phone: "lead",
    cell: ({ what, success, user_agent }) => (
      <>
        {actWords(what)}
        {!success && what !== "refused" && (
          <Badge color="red" ms={6}>
            cut off
          </Badge>
        )}
        <Text size="xs" c="dimmed" component="div" lineClamp={1} title={user_agent}>
          {user_agent}
        </Text>
      </>
    ),
  },
  { key: "bytes", header: "Sent", width: "5.5rem", align: "right", cell: (access) => (access.bytes === 0 ? "–" : bytes(access.bytes)) },
  { key: "ip", header: "Address", width: "8.5rem", cell: ({ ip }) => ip },
  {
    key: "time",
    header: "Time",
    width: "9.5rem",
    cell: (access) => (
      <Text component="time" dateTime={access.time} size="sm" c="dimmed">
        {time(access.time, true)}
      </Text>
    ),
  },
];
