/** Lookup tables of headers, unpacked: what a value becomes, and which grey (DICOM PS3.3 C.11.1 and C.11.2). */
import type { Frame, Manifest, PackedLut } from "@/lib/frames/types";

export interface Lut {
  /** Its place in the manifest. */
  place: number;
  first: number;
  bits: number;
  explanation: string;
  type: string;
  entries: Uint16Array;
}

/** The tables that hold of one frame. */
export interface FrameLuts {
  modality: Lut | null;
  /** In the file's order: the first is how the picture is shown at first. */
  voi: readonly Lut[];
}

const NONE: FrameLuts = { modality: null, voi: [] };
const unpacked = new WeakMap<PackedLut, Lut>();

/** None where the frame has colours, or a factor of its own for what its values mean. */
export function lutsOf(manifest: Manifest, frame: Frame): FrameLuts {
  if (frame.samplesPerPixel > 1 || frame.suv !== null || (frame.modalityLut === null && frame.voiLuts.length === 0)) return NONE;
  return {
    modality: frame.modalityLut === null ? null : lutAt(manifest, frame.modalityLut, "modality"),
    voi: frame.voiLuts.flatMap((place) => lutAt(manifest, place, "voi") ?? []),
  };
}

/** What a value becomes: beyond its ends the table goes on as it ends there. */
export function lookedUp({ first, entries }: Lut, value: number): number {
  const at = Math.min(entries.length - 1, Math.max(0, Math.floor(value) - first));
  return entries[at] ?? 0;
}

/** Greys from 0 to 255, one for each entry of a VOI table. */
export function greysOfLut({ entries, bits }: Lut): Uint8Array {
  const most = 2 ** bits - 1;
  return Uint8Array.from(entries, (entry) => Math.round((entry * 255) / most));
}

/** From where to where a table rises: the window that comes nearest to it, in values. */
export function riseOf({ first, entries }: Lut): { lower: number; upper: number } {
  const last = entries.length - 1;
  let lower = 0;
  let upper = last;
  while (lower < last && entries[lower + 1] === entries[0]) lower += 1;
  while (upper > lower + 1 && entries[upper - 1] === entries[last]) upper -= 1;
  return { lower: first + lower, upper: first + Math.max(upper, lower + 1) };
}

function lutAt({ luts }: Manifest, place: number, kind: PackedLut["kind"]): Lut | null {
  const packed = luts?.[place];
  if (packed?.kind !== kind) return null;
  let lut = unpacked.get(packed);
  if (lut === undefined) {
    const { first, bits, explanation, type } = packed;
    lut = { place, first, bits, explanation, type, entries: entriesOf(packed) };
    unpacked.set(packed, lut);
  }
  return lut.entries.length === 0 ? null : lut;
}

/** Empty for what is not as long as it says. */
function entriesOf({ data, count }: PackedLut): Uint16Array {
  let text: string;
  try {
    text = atob(data);
  } catch {
    return new Uint16Array(0);
  }
  if (text.length !== 2 * count) return new Uint16Array(0);
  return Uint16Array.from({ length: count }, (_, at) => text.charCodeAt(2 * at) | (text.charCodeAt(2 * at + 1) << 8));
}
