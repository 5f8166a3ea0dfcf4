/** The six outcomes of a run as figures. */
import { Figures } from "@/components/figures";

import type { ImportRun } from "./import-api";
import { FIGURES } from "./run-words";

export function Outcomes({ run }: { run: ImportRun }) {
  return <Figures figures={FIGURES.map(({ key, label }) => ({ label, value: run[key], bad: key === "failed" || key === "missing" }))} />;
}
