/** A table whose rows become cards on a phone. The roles are spelled out because CSS that lays rows out anew drops them. */
import { Paper } from "@mantine/core";
import type { ReactNode } from "react";

import classes from "./record-table.module.css";

export interface Column<T> {
  key: string;
  header: ReactNode;
  /** For a header that is a picture or a control: what the column is called. */
  label?: string;
  cell: (row: T) => ReactNode;
  width?: string;
  align?: "right" | "center";
  /** On a phone: `lead` stands on top of the card, `hide` is left out, `corner` sits top right. */
  phone?: "lead" | "hide" | "corner";
}

interface RecordTableProps<T> {
  caption: string;
  columns: Column<T>[];
  rows: T[];
  rowKey: (row: T) => string;
  isChecked?: (row: T) => boolean;
  /** Shown rows belong to the previous question while the next answer is on its way. */
  stale?: boolean;
}

export function RecordTable<T>({ caption, columns, rows, rowKey, isChecked, stale = false }: RecordTableProps<T>) {
  return (
    <Paper className={classes.frame} data-stale={stale || undefined} aria-busy={stale}>
      <table className={classes.table} role="table">
        <caption className={classes.caption}>{caption}</caption>
        <thead role="rowgroup">
          <tr role="row">
            {columns.map((column) => (
              <th
                key={column.key}
                role="columnheader"
                scope="col"
                style={{ width: column.width }}
                data-align={column.align}
                aria-label={column.label}
              >
                {column.header}
              </th>
            ))}
          </tr>
        </thead>
        <tbody role="rowgroup">
          {rows.map((row) => (
            <tr key={rowKey(row)} role="row" data-checked={isChecked?.(row) ?? undefined}>
              {columns.map((column) => (
                <td
                  key={column.key}
                  role="cell"
                  data-align={column.align}
                  data-phone={column.phone}
                  data-label={typeof column.header === "string" ? column.header : undefined}
                >
                  {column.cell(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </Paper>
  );
}
