/** A QR code as the outline of its dark modules. */
import { encodeQR } from "qr";

/** Modules of quiet around the code (ISO/IEC 18004 section 9.1). */
const QUIET = 4;

export interface QrShape {
  /** Modules from edge to edge, the quiet ones included. */
  size: number;
  /** SVG path data in modules. */
  path: string;
}

export function qrShape(text: string): QrShape {
  const rows = encodeQR(text, "raw", { ecc: "medium", border: QUIET });
  const runs = rows.flatMap((row, y) => runsOf(row).map(({ from, length }) => `M${from} ${y}h${length}v1h-${length}z`));
  return { size: rows.length, path: runs.join("") };
}

/** Dark modules side by side become one box: fewer edges, no hair lines between them. */
function runsOf(row: readonly boolean[]): { from: number; length: number }[] {
  const runs: { from: number; length: number }[] = [];
  row.forEach((dark, x) => {
    const last = runs.at(-1);
    if (!dark) return;
    if (last !== undefined && last.from + last.length === x) last.length += 1;
    else runs.push({ from: x, length: 1 });
  });
  return runs;
}
