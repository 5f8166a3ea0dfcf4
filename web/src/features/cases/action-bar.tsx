/** The bar that floats in once a case is checked: how many, how large, and what to do with them. */
import { Button, Group, Paper, Text, Transition } from "@mantine/core";
import { IconAlertTriangle, IconDownload } from "@tabler/icons-react";
import { useMutation, useQueryClient } from "@tanstack/react-query";

import { notifyFailed } from "@/components/notify";
import { caseListQuery, type CaseFilter } from "@/lib/case-list";
import { bytes, plural } from "@/lib/format";

import classes from "./action-bar.module.css";
import { allMatching } from "./all-matching";
import { NOTHING, tooMany, totalBytes, withAll } from "./selection";
import { useSelection } from "./selection-context";
import { useDownload } from "./use-download";

export function ActionBar({ filter, matching }: { filter: CaseFilter; matching: number }) {
  const { selection, setSelection } = useSelection();
  const queries = useQueryClient();
  const download = useDownload();
  const selectAll = useMutation({
    mutationFn: () => allMatching((limit, offset) => queries.query(caseListQuery(filter, limit, offset))),
    onSuccess: (cases) => setSelection((current) => withAll(current, cases)),
    onError: (error) => notifyFailed("Not all cases could be selected", error),
  });
  const problem = tooMany(selection);

  return (
    <Transition mounted={selection.size > 0} transition="slide-up" duration={180}>
      {(style) => (
        <Paper className={classes.bar} style={style} role="region" aria-label="Selected cases">
          <div className={classes.sum} aria-live="polite">
            <Text fw={600}>{plural(selection.size, "case")} selected</Text>
            <Text size="sm" c="dimmed">
              about {bytes(totalBytes(selection))}
            </Text>
          </div>
          {problem !== null && (
            <Text size="sm" c="red" className={classes.problem} role="alert" id="too-many-cases">
              <IconAlertTriangle size={16} aria-hidden /> {problem}
            </Text>
          )}
          <Group gap="xs" className={classes.actions}>
            <Button variant="subtle" color="gray" size="sm" onClick={() => selectAll.mutate()} loading={selectAll.isPending} disabled={matching === 0}>
              Select all
            </Button>
            <Button variant="subtle" color="gray" size="sm" onClick={() => setSelection(() => NOTHING)}>
              Deselect all
            </Button>
            <Button
              leftSection={<IconDownload size={17} />}
              disabled={problem !== null}
              aria-describedby={problem === null ? undefined : "too-many-cases"}
              loading={download.isPending}
              onClick={() => download.mutate([...selection.keys()])}
            >
              Download DICOMs ({plural(selection.size, "case")})
            </Button>
          </Group>
        </Paper>
      )}
    </Transition>
  );
}
