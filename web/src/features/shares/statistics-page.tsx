/** What became of links: figures, the last thirty days, and for admins of links who made them. */
import { Group, Paper, Stack, Text, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";

import { BackLink } from "@/components/back-link";
import { Figures } from "@/components/figures";
import { PageHead } from "@/components/page-head";
import { RecordTable, type Column } from "@/components/record-table";
import { Failed, LoadingRows } from "@/components/states";
import { bytes, count, plural } from "@/lib/format";
import { useCan } from "@/lib/session/use-session";

import { DaysChart } from "./days-chart";
import { statisticsQuery, type Statistics } from "./share-api";

export function ShareStatisticsPage() {
  const isAdmin = useCan("share.admin");
  const found = useQuery(statisticsQuery);
  return (
    <>
      <BackLink to="/shares">{isAdmin ? "Links" : "My links"}</BackLink>
      <PageHead title="Link statistics" lead={isAdmin ? "Of everybody’s links." : "Of your own links."} />
      {found.isPending && <LoadingRows rows={5} />}
      {found.isError && <Failed error={found.error} retry={() => void found.refetch()} />}
      {found.isSuccess && <View told={found.data} />}
    </>
  );
}

function View({ told }: { told: Statistics }) {
  return (
    <Stack gap="lg">
      <Paper p="lg" component="section" aria-label="Figures">
        <Figures
          figures={[
            { label: "Active", value: told.active },
            { label: "Preparing", value: told.preparing },
            { label: "Used up", value: told.used_up },
            { label: "Expired", value: told.expired },
            { label: "Revoked", value: told.revoked },
            { label: "Owner disabled", value: told.owner_disabled },
            { label: "Failed", value: told.failed, bad: true },
            { label: "Created in 30 days", value: told.created_last_30_days },
            { label: "Downloads", value: told.downloads },
            { label: "Refused", value: told.refused },
          ]}
        />
        <Text size="sm" c="dimmed" mt="md">
          {bytes(told.bytes)} went out by links. This and the refusals are of the last {plural(told.log_days, "day")}; who used a link is kept no longer.
        </Text>
      </Paper>
      {told.by_day.length > 0 && (
        <Paper p="lg" component="section" aria-label="By day">
          <Group justify="space-between" mb="sm">
            <Title order={2}>By day</Title>
          </Group>
          <DaysChart days={told.by_day} />
        </Paper>
      )}
      {told.by_user.length > 0 && (
        <section>
          <Title order={2} mb="sm">
            By person
          </Title>
          <RecordTable caption="By person" columns={COLUMNS} rows={told.by_user} rowKey={({ user }) => user} />
        </section>
      )}
    </Stack>
  );
}

const COLUMNS: Column<Statistics["by_user"][number]>[] = [
  { key: "user", header: "Account", phone: "lead", cell: ({ user }) => user },
  { key: "created", header: "Created", width: "8rem", align: "right", cell: ({ created }) => count(created) },
  { key: "active", header: "Active", width: "8rem", align: "right", cell: ({ active }) => count(active) },
  { key: "downloads", header: "Downloads", width: "8rem", align: "right", cell: ({ downloads }) => count(downloads) },
];
