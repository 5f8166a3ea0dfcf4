/** What a reader must know of the series on the screen: it is cut, the line is gone, some files show nothing. */
import { Popover, UnstyledButton } from "@mantine/core";
import { IconAlertTriangle, IconCloudOff, IconFileAlert } from "@tabler/icons-react";

import { plural } from "@/lib/format";
import type { Manifest, SeriesLoad } from "@/lib/frames/types";

import { useDesk } from "./desk";
import { stateWords } from "./progress";
import classes from "./room.module.css";

const MANY = 12;

export function Notes({ load, manifest }: { load: SeriesLoad; manifest: Manifest }) {
  const { loader } = useDesk();
  return (
    <div className={classes.notes}>
      {load.state === "offline" && (
        <p className={classes.note} role="status">
          <IconCloudOff size={15} aria-hidden /> {stateWords(load)}
        </p>
      )}
      {load.state === "error" && (
        <p className={classes.note} role="alert" data-bad>
          <IconAlertTriangle size={15} aria-hidden /> {stateWords(load)}
          <UnstyledButton className={classes.noteAct} onClick={() => loader.retry(load.ref)}>
            Try again
          </UnstyledButton>
        </p>
      )}
      {manifest.unshown.length > 0 && <Unshown manifest={manifest} />}
    </div>
  );
}

/** Files of the series that show nothing, each reason once. */
export function Unshown({ manifest }: { manifest: Manifest }) {
  const { length } = manifest.unshown;
  return (
    <Popover width={340} position="bottom" withArrow>
      <Popover.Target>
        <UnstyledButton className={classes.note}>
          <IconFileAlert size={15} aria-hidden /> {plural(length, "file")} {length === 1 ? "shows" : "show"} no image
        </UnstyledButton>
      </Popover.Target>
      <Popover.Dropdown>
        <Reasons manifest={manifest} />
      </Popover.Dropdown>
    </Popover>
  );
}

export function Reasons({ manifest: { unshown, instances } }: { manifest: Manifest }) {
  const byReason = new Map<string, Manifest["unshown"]>();
  for (const each of unshown) byReason.set(each.reason, [...(byReason.get(each.reason) ?? []), each]);
  return (
    <ul className={classes.reasons}>
      {[...byReason].slice(0, MANY).map(([reason, files]) => {
        const numbers = files.flatMap(({ instance }) => instances.number[instance] ?? []);
        return (
          <li key={reason}>
            {reason}
            {files.length > 1 && ` (${plural(files.length, "file")})`}
            {numbers.length > 0 && numbers.length <= MANY && <small> Instance {numbers.join(", ")}</small>}
          </li>
        );
      })}
    </ul>
  );
}
