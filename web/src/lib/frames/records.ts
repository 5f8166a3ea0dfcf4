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

/** Feed it with `push`, close it with `end`; both throw StreamBroken, after which it takes nothing more. */
export class RecordReader {
  private readonly head = new Uint8Array(HEAD);
  private filled = 0;
  private payload: Uint8Array<ArrayBuffer> | null = null;
  private ended = false;

  constructor(private readonly takers: Takers) {}

  push(chunk: Uint8Array): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.ended) throw new StreamBroken("bytes behind the last record");
      if (this.payload === null) {
        const part = chunk.subarray(at, at + HEAD - this.filled);
        this.head.set(part, this.filled);
        this.filled += part.length;
        at += part.length;
        if (this.filled === HEAD) this.begin();
      } else {
        const part = chunk.subarray(at, at + this.payload.length - this.filled);
        this.payload.set(part, this.filled);
        this.filled += part.length;
        at += part.length;
        if (this.filled === this.payload.length) this.finish(this.payload);
      }
    }
  }

  /** Call when the answer has ended. */
  end(): void {
    if (!this.ended) throw new StreamBroken("the stream was cut off");
  }

  private get view(): DataView {
    return new DataView(this.head.buffer);
  }

  private begin(): void {
    const length = this.view.getUint32(12, true);
    if (this.view.getUint32(0, true) !== MAGIC) throw new StreamBroken("no record where one should begin");
    if (length > LONGEST) throw new StreamBroken(`a record of ${length} bytes`);
    this.filled = 0;
    this.payload = new Uint8Array(length);
    if (length === 0) this.finish(this.payload);
  }

  private finish(payload: Uint8Array<ArrayBuffer>): void {
    const head = this.view;
    this.payload = null;
    this.filled = 0;
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
