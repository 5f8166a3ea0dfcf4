/** Takes the frame stream apart as its bytes come; docs/frame-stream.md says how it is put together. */
import { crc32 } from "@/lib/frames/crc32";
import type { Encoding } from "@/lib/frames/types";

export const ENCODINGS: readonly Encoding[] = ["raw", "jpeg", "jpegll", "jpls", "jp2", "htj2k", "rle"];

const HEAD = 20;
const MAGIC = 0x31465252; // "RRF1", little endian
const ERROR = 255;
const LAST = 1;
const END = 0xffff_ffff;
/** No frame is that long: a length beyond is a stream out of step, not a reason to ask for the memory. */
const LONGEST = 512 * 1024 * 1024;

/** One frame, whole and its checksum right. */
export interface FrameRecord {
  index: number;
  encoding: Encoding;
  crc: number;
  data: ArrayBuffer;
}

/** One frame that the server could not read. */
export interface BrokenRecord {
  index: number;
  status: number;
  code: string;
  message: string;
}

/** The stream is not what it should be: out of step, a checksum that differs, cut off. */
export class StreamBroken extends Error {
  override readonly name = "StreamBroken";
}

interface Takers {
  frame: (record: FrameRecord) => void;
  broken: (record: BrokenRecord) => void;
}

/**
 * Give it the stream's bytes, either where it wants them (`room`, then `took`: nothing is copied) or as they come (`push`); close it with
 * `end`. All three throw StreamBroken, after which it takes nothing more.
 */
export class RecordReader {
  /** The head or the payload of one record. */
  private buffer = new ArrayBuffer(HEAD);
  private filled = 0;
  private head: DataView | null = null;
  private ended = false;

  constructor(private readonly takers: Takers) {}

  /** Where the next bytes belong. What is read into it may be fewer, and its memory another after a transfer. */
  room(): Uint8Array<ArrayBuffer> {
    return this.ended ? new Uint8Array(1) : new Uint8Array(this.buffer, this.filled);
  }

  /** These bytes have come, in the place that `room` gave. */
  took(bytes: Uint8Array<ArrayBuffer>): void {
    if (bytes.length === 0) return;
    if (this.ended) throw new StreamBroken("bytes behind the last record");
    this.buffer = bytes.buffer;
    this.filled += bytes.length;
    if (this.filled === this.buffer.byteLength) this.whole();
  }

  push(chunk: Uint8Array): void {
    let at = 0;
    while (at < chunk.length) {
      const room = this.room();
      const part = chunk.subarray(at, at + room.length);
      room.set(part);
      this.took(room.subarray(0, part.length));
      at += part.length;
    }
  }

  /** Call when the answer has ended. */
  end(): void {
    if (!this.ended) throw new StreamBroken("the stream was cut off");
  }

  private whole(): void {
    const { buffer } = this;
    if (this.head === null) {
      this.head = new DataView(buffer);
      const length = this.head.getUint32(12, true);
      if (this.head.getUint32(0, true) !== MAGIC) throw new StreamBroken("no record where one should begin");
      if (length > LONGEST) throw new StreamBroken(`a record of ${length} bytes`);
      this.next(new ArrayBuffer(length));
      if (length > 0) return;
    }
    const { head } = this;
    this.head = null;
    const payload = this.buffer.byteLength === 0 ? this.buffer : buffer;
    this.next(new ArrayBuffer(HEAD));
    this.finish(head, new Uint8Array(payload));
  }

  private next(buffer: ArrayBuffer): void {
    this.buffer = buffer;
    this.filled = 0;
  }

  private finish(head: DataView, payload: Uint8Array<ArrayBuffer>): void {
    const index = head.getUint32(4, true);
    const kind = head.getUint8(8);
    const crc = head.getUint32(16, true);
    if (index === END) {
      if ((head.getUint8(9) & LAST) === 0) throw new StreamBroken("an end without its mark");
      this.ended = true;
      return;
    }
    if (crc32(payload) !== crc) throw new StreamBroken(`the checksum of frame ${index} differs`);
    if (kind === ERROR) {
      this.takers.broken({ index, status: head.getUint16(10, true), ...readWords(payload) });
      return;
    }
    const encoding = ENCODINGS[kind];
    if (encoding === undefined) throw new StreamBroken(`encoding ${kind} is not known`);
    this.takers.frame({ index, encoding, crc, data: payload.buffer });
  }
}

function readWords(payload: Uint8Array): { code: string; message: string } {
  const words = { code: "frame_unreadable", message: "This picture cannot be read." };
  try {
    const said = JSON.parse(new TextDecoder().decode(payload)) as { error?: unknown; message?: unknown };
    if (typeof said.error === "string") words.code = said.error;
    if (typeof said.message === "string") words.message = said.message;
  } catch {
    // Not our words: the general ones stand.
  }
  return words;
}
