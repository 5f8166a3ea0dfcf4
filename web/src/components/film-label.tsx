/** The mark of a case, set like the corner writing of a film: exam type and number. */
import { Box, VisuallyHidden } from "@mantine/core";

import { caseNumber } from "@/lib/format";

import classes from "./film-label.module.css";

export function FilmLabel({ examType, number, large = false }: { examType: string; number: number; large?: boolean }) {
  return (
    <Box component="span" className={classes.label} data-large={large || undefined}>
      <span className={classes.exam}>{examType}</span>
      <VisuallyHidden> case </VisuallyHidden>
      <span className={classes.number}>{caseNumber(number)}</span>
    </Box>
  );
}
