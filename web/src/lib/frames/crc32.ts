/** CRC-32 as zlib counts it (polynomial 0xEDB88320, reflected), eight bytes at a time. */

const TABLES = makeTables();

/** The checksum of these bytes as an unsigned 32-bit number; `before` is that of the bytes in front of them. */
export function crc32(bytes: Uint8Array, before = 0): number {
  const [t0, t1, t2, t3, t4, t5, t6, t7] = TABLES;
  let crc = ~before;
  let at = 0;
  // Whole groups of eight, read as two words; the tables stand in the order of the bytes.
  const groups = bytes.length - (bytes.length % 8);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (; at < groups; at += 8) {
    const low = view.getInt32(at, true) ^ crc;
    const high = view.getInt32(at + 4, true);
    crc =
      (t7[low & 0xff] ?? 0) ^
      (t6[(low >>> 8) & 0xff] ?? 0) ^
      (t5[(low >>> 16) & 0xff] ?? 0) ^
      (t4[low >>> 24] ?? 0) ^
      (t3[high & 0xff] ?? 0) ^
      (t2[(high >>> 8) & 0xff] ?? 0) ^
      (t1[(high >>> 16) & 0xff] ?? 0) ^
      (t0[high >>> 24] ?? 0);
  }
  for (; at < bytes.length; at += 1) crc = (t0[(crc ^ (bytes[at] ?? 0)) & 0xff] ?? 0) ^ (crc >>> 8);
  return ~crc >>> 0;
}

type Tables = [Int32Array, Int32Array, Int32Array, Int32Array, Int32Array, Int32Array, Int32Array, Int32Array];

function makeTables(): Tables {
  const tables = Array.from({ length: 8 }, () => new Int32Array(256)) as Tables;
  for (let byte = 0; byte < 256; byte += 1) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc & 1) === 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
    tables[0][byte] = crc;
  }
  for (let step = 1; step < 8; step += 1) {
    const before = tables[step - 1] ?? tables[0];
    const table = tables[step] ?? tables[0];
    for (let byte = 0; byte < 256; byte += 1) {
      const crc = before[byte] ?? 0;
      table[byte] = (crc >>> 8) ^ (tables[0][crc & 0xff] ?? 0);
    }
  }
  return tables;
}
