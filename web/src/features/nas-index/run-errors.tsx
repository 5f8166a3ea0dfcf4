/** All errors of a run, by type, in pages, and as a file to take along. */
import { Button, Chip, CopyButton, Group, Text, Title, Tooltip, UnstyledButton } from "@mantine/core";
import { useMutation, useQuery } from "@tanstack/react-query";
import { IconChecks, IconDownload } from "@tabler/icons-react";
import { useSearchParams } from "react-router";

import { notifyDone, notifyFailed } from "@/components/notify";
import { Pager } from "@/components/pager";
import { RecordTable, type Column } from "@/components/record-table";
import { Empty, Failed, LoadingRows } from "@/components/states";
import { csvOf } from "@/lib/csv";
import { saveText } from "@/lib/downloads";
import { plural } from "@/lib/format";

import { ErrorKind } from "./run-error";
import { ERROR_KINDS } from "./run-words";
import { errorsOf, errorsQuery, type RunError } from "./runs-api";
import { SiteTime } from "./site-time";
import classes from "./nas-index.module.css";

const PAGE_SIZE = 50;

/** The longest page that the server gives. */
const LONGEST_PAGE = 500;

/** A file of so many lines still opens in a spreadsheet; more errors than that have one cause. */
const MOST_LINES = 50_000;

const HEAD: (keyof RunError)[] = ["timestamp", "error_type", "error_code", "message", "suggestion", "file_path", "retry_count"];

/** `count` is the run's own figure: when it grows, the list is asked for again. */
export function RunErrors({ runId, count }: { runId: string; count: number }) {
  const [params, setParams] = useSearchParams();
  const type = params.get("type") ?? "";
  const page = Math.max(1, Math.floor(Number(params.get("page") ?? "1")) || 1);
  const errors = useQuery(errorsQuery(runId, type, PAGE_SIZE, (page - 1) * PAGE_SIZE, count));
  const csv = useMutation({
    mutationFn: () => saveErrors(runId, type),
    onSuccess: (lines) => notifyDone("Saved", `${plural(lines, "error")} in run-errors.csv`),
    onError: (error) => notifyFailed("The file could not be made", error),
  });

  function go(change: { type?: string; page?: number }) {
    const next = new URLSearchParams();
    const wanted = change.type ?? type;
    if (wanted !== "") next.set("type", wanted);
    if ((change.page ?? 1) > 1) next.set("page", String(change.page));
    setParams(next, { preventScrollReset: true });
  }

  return (
    <section>
      <Group justify="space-between" mb="sm">
        <Title order={2}>Errors</Title>
        <Button
          variant="default"
          leftSection={<IconDownload size={16} aria-hidden />}
          loading={csv.isPending}
          disabled={errors.data === undefined || errors.data.total === 0}
          onClick={() => csv.mutate()}
        >
          Save as CSV
        </Button>
      </Group>
      <Chip.Group value={type} onChange={(value) => go({ type: value })}>
        <Group gap="xs" mb="md" role="radiogroup" aria-label="Kind of error">
          <Chip value="" variant="light">
            All
          </Chip>
          {Object.entries(ERROR_KINDS).map(([value, label]) => (
            <Chip key={value} value={value} variant="light">
              {label}
            </Chip>
          ))}
        </Group>
      </Chip.Group>
      {errors.isPending && <LoadingRows rows={6} height={44} />}
      {errors.isError && <Failed error={errors.error} retry={() => void errors.refetch()} />}
      {errors.isSuccess && errors.data.items.length === 0 && (
        <Empty title={type === "" ? "No errors" : "No error of this kind"} icon={<IconChecks size={34} stroke={1.3} />}>
          {count > 0 && type === "" ? "What this run could not read, a later run has looked at again." : "Everything else was read, or is told under another kind."}
        </Empty>
      )}
      {errors.isSuccess && errors.data.items.length > 0 && (
        <>
          <RecordTable
            caption="Errors"
            columns={COLUMNS}
            rows={errors.data.items}
            rowKey={(each) => `${each.error_code} ${each.file_path ?? each.timestamp}`}
            stale={errors.isPlaceholderData}
          />
          <Pager page={page} pageSize={PAGE_SIZE} total={errors.data.total} onPage={(next) => go({ page: next })} />
        </>
      )}
    </section>
  );
}

/** Reads page after page; returns how many lines the file has. */
async function saveErrors(runId: string, type: string): Promise<number> {
  const rows: RunError[] = [];
  for (;;) {
    const { items, total } = await errorsOf(runId, type, LONGEST_PAGE, rows.length);
    rows.push(...items);
    if (items.length === 0 || rows.length >= Math.min(total, MOST_LINES)) break;
  }
  saveText("run-errors.csv", csvOf([HEAD, ...rows.map((row) => HEAD.map((name) => row[name]))]), "text/csv");
  return rows.length;
}

const COLUMNS: Column<RunError>[] = [
  {
    key: "path",
    header: "File",
    phone: "lead",
    cell: (each) => (each.file_path === null ? <Text size="sm" c="dimmed">The source as a whole</Text> : <Path path={each.file_path} />),
  },
  {
    key: "kind",
    header: "Kind",
    width: "9.5rem",
    cell: (each) => (
      <div className={classes.kind}>
        <ErrorKind type={each.error_type} />
        <span className={classes.path}>{each.error_code}</span>
      </div>
    ),
  },
  {
    key: "message",
    header: "What happened",
    width: "36%",
    cell: (each) => (
      <div className={classes.what}>
        <Text size="sm">{each.message}</Text>
        {each.suggestion !== "" && (
          <Text size="sm" c="dimmed">
            {each.suggestion}
          </Text>
        )}
      </div>
    ),
  },
  { key: "retries", header: "Retries", width: "5rem", align: "right", cell: (each) => each.retry_count },
  {
    key: "time",
    header: "Time",
    width: "10.5rem",
    cell: (each) => (
      <Text component="time" dateTime={each.timestamp} size="sm" c="dimmed">
        <SiteTime of={each.timestamp} />
      </Text>
    ),
  },
];

/** A click copies it: what one does with a path is look at that file. */
function Path({ path }: { path: string }) {
  return (
    <CopyButton value={path} timeout={1500}>
      {({ copied, copy }) => (
        <Tooltip label={copied ? "Copied" : "Copy the path"}>
          <UnstyledButton onClick={copy} className={classes.path} dir="ltr" aria-label={`Copy the path ${path}`}>
            {path}
          </UnstyledButton>
        </Tooltip>
      )}
    </CopyButton>
  );
}
