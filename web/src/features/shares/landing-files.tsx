/** The files of a series, each to be downloaded by itself. */
import { Anchor, Button, Loader, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { IconListDetails } from "@tabler/icons-react";
import { useState } from "react";

import { bytes, count } from "@/lib/format";

import { addressOf, heldFilesQuery, type Held } from "./held-api";
import classes from "./landing.module.css";

const AT_ONCE = 100;

interface LandingFilesProps {
  held: Held;
  opened: boolean;
  onOpen: () => void;
}

export function LandingFiles({ held, opened, onOpen }: LandingFilesProps) {
  if (!opened) {
    return (
      <Button variant="subtle" color="gray" fullWidth mb="sm" leftSection={<IconListDetails size={18} aria-hidden />} onClick={onOpen}>
        Files one by one
      </Button>
    );
  }
  return <List id={held.id} />;
}

function List({ id }: { id: string }) {
  const found = useQuery(heldFilesQuery(id));
  const [shown, setShown] = useState(AT_ONCE);
  if (found.isPending) {
    return (
      <div className={classes.waiting} role="status" aria-label="Loading">
        <Loader size="sm" />
      </div>
    );
  }
  if (found.isError) {
    return (
      <Text role="alert" c="red" mb="md">
        The list of files cannot be shown: {found.error.message}
      </Text>
    );
  }
  const { items, total } = found.data;
  return (
    <section aria-label="Files" className={classes.files}>
      <ul>
        {items.slice(0, shown).map(({ n, name, size }) => (
          <li key={n}>
            <Anchor href={addressOf(id, `files/${n}`)} download size="sm" dir="ltr">
              <bdi>{name}</bdi>
            </Anchor>
            <Text component="span" size="sm" c="dimmed">
              {bytes(size)}
            </Text>
          </li>
        ))}
      </ul>
      {shown < items.length && (
        <Button variant="subtle" color="gray" fullWidth onClick={() => setShown(shown + 5 * AT_ONCE)}>
          Show more ({count(shown)} of {count(total)} shown)
        </Button>
      )}
    </section>
  );
}
