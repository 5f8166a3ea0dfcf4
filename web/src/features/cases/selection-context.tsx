/** Keeps what is checked while one walks between the list and the cases. */
import { createContext, use, useMemo, useState, type ReactNode } from "react";
import { Outlet } from "react-router";

import { NOTHING, type Selection } from "./selection";

interface SelectionHold {
  selection: Selection;
  setSelection: (change: (current: Selection) => Selection) => void;
}

const SelectionContext = createContext<SelectionHold | null>(null);

export function SelectionRoom({ children }: { children?: ReactNode }) {
  const [selection, setSelection] = useState<Selection>(NOTHING);
  const hold = useMemo(() => ({ selection, setSelection }), [selection]);
  return <SelectionContext value={hold}>{children ?? <Outlet />}</SelectionContext>;
}

export function useSelection(): SelectionHold {
  const hold = use(SelectionContext);
  if (hold === null) throw new Error("useSelection outside of SelectionRoom");
  return hold;
}
