import { crc32 as zlibCrc32 } from "node:zlib";

import { describe, expect, test } from "vitest";

import { crc32 } from "@/lib/frames/crc32";
import { type BrokenRecord, type FrameRecord, RecordReader, StreamBroken } from "@/lib/frames/records";
import { endRecord, record } from "@/lib/frames/stream-maker";

function read(stream: Uint8Array, cuts: readonly number[]): { frames: FrameRecord[]; broken: BrokenRecord[] } {
  const frames: FrameRecord[] = [];
  const broken: BrokenRecord[] = [];
  const reader = new RecordReader({ frame: (each) => frames.push(each), broken: (each) => broken.push(each) });
  let from = 0;
  for (const to of [...cuts, stream.length]) {
    reader.push(stream.slice(from, to));
    from = to;
  }
  reader.end();
  return { frames, broken };
}

const join = (...parts: Uint8Array[]) => new Uint8Array(Buffer.concat(parts));
const words = new TextEncoder().encode(JSON.stringify({ error: "frame_unreadable", message: "It is gone." }));
const stream = join(
  record(7, "raw", Uint8Array.of(1, 2, 3, 4, 5)),
  record(6, "jpls", new Uint8Array(33).fill(9)),
  record(5, 255, words, 422),
  record(4, "rle", new Uint8Array(0)),
  endRecord(),
);

describe("the frame stream", () => {
  test("is read the same wherever the line cuts it", () => {
    for (let cut = 1; cut < stream.length; cut += 1) {
      const { frames, broken } = read(stream, [cut]);
      expect(frames.map((each) => [each.index, each.encoding, each.data.byteLength])).toEqual([
        [7, "raw", 5],
        [6, "jpls", 33],
        [4, "rle", 0],
      ]);
      expect([...new Uint8Array(frames[0]?.data ?? new ArrayBuffer(0))]).toEqual([1, 2, 3, 4, 5]);
      expect(broken).toEqual([{ index: 5, status: 422, code: "frame_unreadable", message: "It is gone." }]);
    }
  });

  test("is read byte by byte too", () => {
    const everywhere = Array.from({ length: stream.length - 1 }, (_, at) => at + 1);
    expect(read(stream, everywhere).frames).toHaveLength(3);
  });

  test("that is cut off anywhere is broken, and gives what came whole before", () => {
    for (let cut = 0; cut < stream.length; cut += 1) {
      const frames: number[] = [];
      const reader = new RecordReader({ frame: (each) => frames.push(each.index), broken: () => undefined });
      reader.push(stream.slice(0, cut));
      expect(() => reader.end()).toThrow(StreamBroken);
      if (cut >= 25) expect(frames[0]).toBe(7);
    }
  });

  test("with one bit turned anywhere in a frame gives that frame to nobody", () => {
    const one = join(record(1, "raw", new Uint8Array(40).fill(3)), endRecord());
    for (let at = 16; at < 60; at += 1) {
      const spoiled = one.slice();
      spoiled[at] = (spoiled[at] ?? 0) ^ 4;
      const frames: number[] = [];
      const reader = new RecordReader({ frame: (each) => frames.push(each.index), broken: () => undefined });
      expect(() => reader.push(spoiled)).toThrow(StreamBroken);
      expect(frames).toEqual([]);
    }
  });

  test("out of step, of a length beyond reason or with bytes behind its end is broken", () => {
    const long = record(1, "raw", new Uint8Array(1));
    new DataView(long.buffer).setUint32(12, 0xffff_fff0, true);
    const unknown = record(1, 77, new Uint8Array(1));
    for (const bytes of [join(Uint8Array.of(0), stream), long, unknown, join(stream, Uint8Array.of(1))]) {
      expect(() => read(bytes, [])).toThrow(StreamBroken);
    }
  });
});

test("the checksum is zlib's, at any length and place in its buffer", () => {
  const bytes = Uint8Array.from({ length: 300 }, (_, at) => (at * 167 + (at >> 3)) & 255);
  for (let length = 0; length <= 70; length += 1) {
    const part = bytes.subarray(length % 11, (length % 11) + length);
    expect(crc32(part)).toBe(zlibCrc32(part));
  }
  expect(crc32(bytes.subarray(100), crc32(bytes.subarray(0, 100)))).toBe(zlibCrc32(bytes));
});
