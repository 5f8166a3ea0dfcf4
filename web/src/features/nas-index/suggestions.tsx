/** Advice on sources, from what tests and runs measured; where it names a setting, one press applies it. */
import { Button, Group, Paper, Text, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { IconBulb } from "@tabler/icons-react";

import { notifyDone, notifyFailed } from "@/components/notify";
import { Failed, LoadingRows } from "@/components/states";

import { SOURCE_TYPES, suggestionsQuery, useConfigure, type SourceConfig, type Suggestion } from "./sources-api";
import classes from "./nas-index.module.css";

interface SuggestionsProps {
  /** Opens the source's form with this filled in: advice that needs more than one value. */
  onEdit: (name: string, change: Partial<SourceConfig>) => void;
  onAdd: () => void;
}

export function Suggestions({ onEdit, onAdd }: SuggestionsProps) {
  const advice = useQuery(suggestionsQuery);
  if (advice.isPending) return <LoadingRows rows={2} />;
  if (advice.isError) return <Failed error={advice.error} retry={() => void advice.refetch()} />;
  if (advice.data.suggestions.length === 0) return null;
  return (
    <section>
      <Title order={2} mb="sm">
        Suggestions
      </Title>
      <ul className={classes.errors} aria-label="Suggestions">
        {advice.data.suggestions.map((each) => (
          <li key={`${each.source ?? ""} ${each.title}`}>
            <Paper p="md">
              <Group gap="sm" wrap="nowrap" align="flex-start">
                <Text component="span" c="petrol" aria-hidden>
                  <IconBulb size={20} stroke={1.5} />
                </Text>
                <div className={classes.said}>
                  <Text fw={550}>{each.title}</Text>
                  <Text size="sm" c="dimmed">
                    {each.detail}
                  </Text>
                  <Act advice={each} onEdit={onEdit} onAdd={onAdd} />
                </div>
              </Group>
            </Paper>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Act({ advice, onEdit, onAdd }: SuggestionsProps & { advice: Suggestion }) {
  const configure = useConfigure();
  const { source, setting, value } = advice;
  if (source === null || source === undefined) {
    return (
      <Button variant="default" size="xs" mt={8} onClick={onAdd}>
        Add a source
      </Button>
    );
  }
  if (setting === "firebird") {
    return (
      <Button variant="default" size="xs" mt={8} onClick={() => onEdit(source, { firebird: {} })}>
        Name its database
      </Button>
    );
  }
  if (setting === null || setting === undefined || value === null || value === undefined) return null;
  // Another type needs a path too: the form asks for it.
  if (setting === "type") {
    const type = SOURCE_TYPES.find((each) => each === value);
    if (type === undefined) return null;
    return (
      <Button variant="default" size="xs" mt={8} onClick={() => onEdit(source, { type, path: "" })}>
        Change {source}
      </Button>
    );
  }
  const said = `${setting} = ${value}`;
  return (
    <Group gap="sm" mt={8}>
      <Button
        variant="default"
        size="xs"
        loading={configure.isPending}
        aria-label={`Apply ${said} to ${source}`}
        onClick={() =>
          // By the promise: an advice that was taken is gone from the page, and with it what `mutate` was to do then.
          void configure
            .mutateAsync((sources) => sources.map((each) => (each.name === source ? { ...each, [setting]: value } : each)), {
              onError: (error) => notifyFailed("That was not applied", error),
            })
            .then(
              () => notifyDone("Applied", `${source}: ${said}. It holds from the next run on.`),
              () => undefined, // told above
            )
        }
      >
        Apply
      </Button>
      <span className={classes.path}>{said}</span>
    </Group>
  );
}
