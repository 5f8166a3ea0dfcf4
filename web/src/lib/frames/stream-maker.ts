/** Makes frame streams and manifests, for tests. */
import { crc32 } from "@/lib/frames/crc32";
import { ENCODINGS } from "@/lib/frames/records";
import type { Encoding, Manifest, PackedLut } from "@/lib/frames/types";

export function record(index: number, kind: Encoding | number, payload: Uint8Array, status = 200): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(20 + payload.length);
  const head = new DataView(bytes.buffer);
  bytes.set(new TextEncoder().encode("RRF1"));
  head.setUint32(4, index, true);
  head.setUint8(8, typeof kind === "number" ? kind : ENCODINGS.indexOf(kind));
  head.setUint16(10, status, true);
  head.setUint32(12, payload.length, true);
  head.setUint32(16, crc32(payload), true);
  bytes.set(payload, 20);
  return bytes;
}

export function endRecord(): Uint8Array<ArrayBuffer> {
  const bytes = record(0xffff_ffff, "raw", new Uint8Array(0));
  bytes[9] = 1;
  return bytes;
}

/** A lookup table of 12 bits whose first entry stands for `first`. */
export function packedLut(kind: PackedLut["kind"], first: number, entries: readonly number[], explanation = "", type = ""): PackedLut {
  const data = btoa(String.fromCharCode(...new Uint8Array(Uint16Array.from(entries).buffer)));
  return { kind, first, bits: 12, count: entries.length, data, explanation, type };
}

export function manifestOf(count: number, version = "v1", bytes = 100): Manifest {
  return {
    version,
    seriesUid: "1.2.3",
    studyUid: "1.2",
    modality: "CT",
    seriesNumber: 1,
    seriesDescription: "",
    place: "orthanc",
    patient: { name: "", id: "", birthDate: "", sex: "" },
    study: { date: "", time: "", description: "", institution: "" },
    frameCount: count,
    groups: [{ name: "all", from: 0, count }],
    instances: {
      uid: Array.from({ length: count }, (_, at) => `1.2.3.${at}`),
      handle: Array.from({ length: count }, (_, at) => `h${at}`),
      number: Array.from({ length: count }, (_, at) => at + 1),
    },
    defaults: { rows: 5, columns: 10, bitsAllocated: 16, encoding: "raw", bytes },
    frames: { instance: Array.from({ length: count }, (_, at) => at) },
    unshown: [],
  };
}
