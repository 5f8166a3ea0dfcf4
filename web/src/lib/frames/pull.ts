/** Bytes out of an answer into the records' own memory: copied by the browser alone, where it reads into memory that it is given. */
import { type RecordReader, StreamBroken } from "@/lib/frames/records";

/** A stream without a byte for this long is taken for dead. */
const SILENCE_MS = 30_000;

export class Pull {
  private readonly into: ReadableStreamBYOBReader | null;
  private readonly plain: ReadableStreamDefaultReader<Uint8Array> | null;
  /** Milliseconds spent in waiting for bytes: what a busy page takes to deal with them is not the line's. */
  waited = 0;
  private heardAt = Date.now();
  private readonly silence: Promise<never>;
  private readonly watch: ReturnType<typeof setInterval>;

  constructor(
    body: ReadableStream<Uint8Array>,
    private readonly records: RecordReader,
    private readonly now: () => number,
  ) {
    this.into = intoReader(body);
    this.plain = this.into === null ? body.getReader() : null;
    let fail: (reason: Error) => void = () => undefined;
    this.silence = new Promise<never>((_, reject) => {
      fail = reject;
    });
    this.silence.catch(() => undefined);
    this.watch = setInterval(() => {
      if (Date.now() - this.heardAt > SILENCE_MS) fail(new StreamBroken("nothing came for a long time"));
    }, SILENCE_MS / 10);
  }

  /** Hands on what has come since; its length, null at the end of the answer. */
  async once(): Promise<number | null> {
    const asked = this.now();
    const length = await Promise.race([this.read(), this.silence]);
    this.waited += this.now() - asked;
    this.heardAt = Date.now();
    return length;
  }

  /** The rest of the answer is not wanted. */
  end(): void {
    clearInterval(this.watch);
    void (this.into ?? this.plain)?.cancel().catch(() => undefined);
  }

  private async read(): Promise<number | null> {
    if (this.into !== null) {
      const { done, value } = await this.into.read(this.records.room());
      if (done) return null;
      this.records.took(value);
      return value.length;
    }
    const { done, value } = (await this.plain?.read()) ?? { done: true, value: undefined };
    if (done) return null;
    this.records.push(value);
    return value.length;
  }
}

function intoReader(body: ReadableStream<Uint8Array>): ReadableStreamBYOBReader | null {
  try {
    return body.getReader({ mode: "byob" });
  } catch {
    return null; // not a stream of bytes, in this browser
  }
}
