/** The rows of the students' list. */
import { Anchor, Checkbox, Text, Tooltip } from "@mantine/core";
import { IconPhoto, IconPhotoOff } from "@tabler/icons-react";
import type { KeyboardEvent } from "react";
import { Link } from "react-router";

import { FilmLabel } from "@/components/film-label";
import { RecordTable, type Column } from "@/components/record-table";
import { steerRows } from "@/components/row-steering";
import type { Case } from "@/lib/api/types";
import { bytes, caseNumber, plural } from "@/lib/format";

import classes from "./case-table.module.css";
import { isSelectable, toggled, withAll, without } from "./selection";
import { useSelection } from "./selection-context";

export function CaseTable({ cases, stale }: { cases: Case[]; stale: boolean }) {
  const { selection, setSelection } = useSelection();
  const selectable = cases.filter(isSelectable);
  const checked = selectable.filter(({ id }) => selection.has(id)).length;
  const toggle = (item: Case) => setSelection((current) => toggled(current, item));

  const columns: Column<Case>[] = [
    {
      key: "check",
      label: "Select",
      phone: "corner",
      width: "2.75rem",
      header: (
        <Checkbox
          aria-label="Select all cases on this page"
          disabled={selectable.length === 0}
          checked={checked > 0 && checked === selectable.length}
          indeterminate={checked > 0 && checked < selectable.length}
          onChange={(event) => {
            const change = event.currentTarget.checked ? withAll : without;
            setSelection((current) => change(current, selectable));
          }}
        />
      ),
      cell: (item) => (
        <Checkbox
          aria-label={`Select case ${caseNumber(item.caseNumber)}, ${item.title}`}
          disabled={!isSelectable(item)}
          checked={selection.has(item.id)}
          onChange={() => toggle(item)}
        />
      ),
    },
    {
      key: "number",
      header: "Case",
      width: "8.5rem",
      phone: "lead",
      cell: (item) => <FilmLabel examType={item.examType} number={item.caseNumber} />,
    },
    {
      key: "title",
      header: "Title",
      phone: "lead",
      cell: (item) => (
        <>
          <Anchor
            component={Link}
            to={`/cases/${item.id}`}
            className={classes.title}
            data-row-link
            onKeyDown={(event: KeyboardEvent<HTMLAnchorElement>) => steer(event, () => toggle(item))}
          >
            {item.title === "" ? `Case ${caseNumber(item.caseNumber)}` : item.title}
          </Anchor>
          {item.text !== "" && (
            <Text size="sm" c="dimmed" lineClamp={1}>
              {item.text}
            </Text>
          )}
        </>
      ),
    },
    {
      key: "dicoms",
      header: "Images",
      width: "10.5rem",
      cell: (item) => <Availability item={item} />,
    },
  ];

  return (
    <RecordTable
      caption="Cases"
      columns={columns}
      rows={cases}
      rowKey={({ id }) => id}
      isChecked={({ id }) => selection.has(id)}
      stale={stale}
    />
  );
}

function Availability({ item }: { item: Case }) {
  if (!isSelectable(item)) {
    return (
      <Tooltip label="The images of this case have not been imported yet">
        <span className={classes.availability} data-missing tabIndex={0}>
          <IconPhotoOff size={17} stroke={1.6} aria-hidden /> No images
        </span>
      </Tooltip>
    );
  }
  return (
    <Tooltip label={`${plural(item.fileCount, "DICOM file")}, ${bytes(item.totalSizeBytes)}`}>
      <span className={classes.availability}>
        <IconPhoto size={17} stroke={1.6} aria-label="Images available" role="img" />
        {bytes(item.totalSizeBytes)}
      </span>
    </Tooltip>
  );
}

/** On a row's title: Space checks the row; the rest is as in any list. */
function steer(event: KeyboardEvent<HTMLAnchorElement>, toggle: () => void): void {
  steerRows(event);
  if (event.key !== " ") return;
  event.preventDefault();
  toggle();
}
