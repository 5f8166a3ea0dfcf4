/** Addresses without a page, and pages that broke. */
import { Button } from "@mantine/core";
import { IconMapOff } from "@tabler/icons-react";
import { Link, useRouteError } from "react-router";

import { Empty, Failed } from "@/components/states";

export function NotFoundPage() {
  return (
    <Empty
      title="No page at this address"
      icon={<IconMapOff size={34} stroke={1.3} />}
      action={
        <Button component={Link} to="/" variant="default">
          To the start
        </Button>
      }
    >
      The link may be old, or a letter is missing.
    </Empty>
  );
}

/** A page that failed to load or to draw; after an update of the server, old chunks are gone and a reload helps. */
export function RouteError() {
  const error = useRouteError();
  const shown = error instanceof Error ? error : new Error("The page could not be shown.");
  return <Failed error={shown} retry={() => window.location.reload()} />;
}
