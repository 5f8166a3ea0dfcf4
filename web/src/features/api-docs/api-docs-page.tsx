/** The API, as this very server describes it: browse every call, try the reading ones. */
import { Anchor, Button, Group as Row, Stack, Text, TextInput, Title } from "@mantine/core";
import { queryOptions, useQuery } from "@tanstack/react-query";
import { IconApi, IconFileCode } from "@tabler/icons-react";
import { useMemo, useState } from "react";

import { PageHead } from "@/components/page-head";
import { Empty, Failed, LoadingRows } from "@/components/states";
import { api } from "@/lib/api";

import classes from "./api-docs.module.css";
import { groupsOf, type Group, type OpenApi } from "./openapi";
import { OperationView } from "./operation-view";

const documentQuery = queryOptions({
  queryKey: ["openapi"],
  queryFn: ({ signal }) => api.get<OpenApi>("/api/openapi.json", { signal }),
  staleTime: Infinity,
});

export function ApiDocsPage() {
  const found = useQuery(documentQuery);
  return (
    <>
      <PageHead
        title="API"
        lead="Everything these pages do, scripts can do too: with a Bearer token from POST /api/token/, or with HTTP Basic."
        actions={
          <Button component="a" href="/api/openapi.json" target="_blank" variant="default" leftSection={<IconFileCode size={16} />}>
            OpenAPI document
          </Button>
        }
      />
      {found.isPending && <LoadingRows />}
      {found.isError && <Failed error={found.error} retry={() => void found.refetch()} />}
      {found.isSuccess && <Browser document={found.data} />}
    </>
  );
}

function Browser({ document }: { document: OpenApi }) {
  const [word, setWord] = useState("");
  const groups = useMemo(() => groupsOf(document), [document]);
  const shown = useMemo(() => narrowed(groups, word), [groups, word]);
  return (
    <div className={classes.columns}>
      <nav className={classes.contents} aria-label="Parts of the API">
        <TextInput aria-label="Filter the calls" placeholder="Filter: cases, /api/audit, download" value={word} onChange={(event) => setWord(event.currentTarget.value)} mb="sm" />
        <Stack gap={2} visibleFrom="sm">
          {shown.map(({ name, operations }) => (
            <Anchor key={name} href={`#${anchorOf(name)}`} size="sm" c="dimmed" className={classes.part}>
              <span>{name}</span>
              <span>{operations.length}</span>
            </Anchor>
          ))}
        </Stack>
        <Text size="xs" c="dimmed" mt="md" visibleFrom="sm">
          {document.info.title} {document.info.version}
        </Text>
      </nav>
      <div>
        {shown.length === 0 && (
          <Empty title="No call fits" icon={<IconApi size={34} stroke={1.3} />}>
            Try a part of a path or of a description.
          </Empty>
        )}
        {shown.map(({ name, operations }) => (
          <section key={name} id={anchorOf(name)} className={classes.group}>
            <Row mb="sm">
              <Title order={2}>{name}</Title>
            </Row>
            <Stack gap="xs">
              {operations.map((operation) => (
                <OperationView key={operation.id} document={document} operation={operation} />
              ))}
            </Stack>
          </section>
        ))}
      </div>
    </div>
  );
}

function narrowed(groups: Group[], word: string): Group[] {
  const wanted = word.trim().toLowerCase();
  if (wanted === "") return groups;
  return groups
    .map(({ name, operations }) => ({
      name,
      operations: operations.filter(({ method, path, summary, description }) =>
        `${name} ${method} ${path} ${summary} ${description}`.toLowerCase().includes(wanted),
      ),
    }))
    .filter(({ operations }) => operations.length > 0);
}

function anchorOf(name: string): string {
  return `part-${name.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-")}`;
}
