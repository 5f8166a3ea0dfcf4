import { describe, expect, test } from "vitest";

import { ApiError, NetworkError } from "@/lib/api/errors";

import { Connection, type Line } from "./connection";
import { fingerprintOf, KeptUploads } from "./kept-uploads";
import type { ByteRange } from "./ranges";
import { UploadQueue, type Filing, type Upload } from "./upload-queue";
import type { UploadServer } from "./upload-server";

const HOUR_AHEAD = new Date(Date.now() + 3_600_000).toISOString();

/** A server that keeps what it is sent, and fails when told to. */
class FakeServer implements UploadServer {
  readonly bytes = new Map<string, Uint8Array>();
  readonly received = new Map<string, ByteRange[]>();
  readonly sent: [string, number, number][] = [];
  readonly dropped: string[] = [];
  /** Failures of the next pieces, in order; null lets one through. */
  failures: (Error | null)[] = [];
  beginFailure: Error | null = null;
  completeFailures: Error[] = [];
  hash: string | null = null;
  open = 0;
  mostOpen = 0;
  private made = 0;

  begin = ({ totalBytes }: { totalBytes: number }) => {
    if (this.beginFailure !== null) return Promise.reject(this.beginFailure);
    const uploadId = `u${++this.made}`;
    this.bytes.set(uploadId, new Uint8Array(totalBytes));
    this.received.set(uploadId, []);
    return Promise.resolve({ uploadId, chunkBytes: 300_000, expiresAt: HOUR_AHEAD });
  };

  look = (uploadId: string) => {
    const received = this.received.get(uploadId);
    return received === undefined ? Promise.reject(new ApiError(404, "not_found", "Gone.")) : Promise.resolve({ state: "open" as const, received });
  };

  send = async (uploadId: string, offset: number, piece: Blob, signal: AbortSignal) => {
    this.open += 1;
    this.mostOpen = Math.max(this.mostOpen, this.open);
    await new Promise((resolve) => setTimeout(resolve, 1));
    this.open -= 1;
    if (signal.aborted) throw new DOMException("aborted", "AbortError");
    const failure = this.failures.shift() ?? null;
    if (failure !== null) throw failure;
    this.sent.push([uploadId, offset, piece.size]);
    this.bytes.get(uploadId)?.set(new Uint8Array(await piece.arrayBuffer()), offset);
    const [first] = this.received.get(uploadId) ?? [];
    const received: ByteRange[] = [[first?.[0] ?? offset, offset + piece.size]];
    this.received.set(uploadId, received);
    return { received };
  };

  complete = (uploadId: string, _total: number, hash: string | null) => {
    const failure = this.completeFailures.shift();
    if (failure !== undefined) return Promise.reject(failure);
    this.hash = hash;
    return Promise.resolve({ assetId: Number(uploadId.slice(1)) + 100 });
  };

  holds(uploadId: string, bytes: ArrayBuffer): boolean {
    return Buffer.from(bytes).equals(this.bytes.get(uploadId) ?? Buffer.of());
  }

  drop = (uploadId: string) => {
    this.dropped.push(uploadId);
    return Promise.resolve(null);
  };
}

class Room {
  readonly server = new FakeServer();
  readonly stored = new Map<string, string>();
  readonly kept = new KeptUploads(
    { getItem: (key) => this.stored.get(key) ?? null, setItem: (key, value) => void this.stored.set(key, value) },
    () => Date.now(),
  );
  line: Line = "up";
  readonly watchers = new Set<() => void>();
  doubts = 0;
  readonly done: Upload[] = [];
  readonly waited: number[] = [];
  readonly queue = this.fresh();

  fresh(): UploadQueue {
    return new UploadQueue({
      server: this.server,
      kept: this.kept,
      user: () => "sam",
      hash: () => Promise.resolve("ab"),
      now: () => 0,
      wait: (milliseconds) => {
        this.waited.push(milliseconds);
        return new Promise((resolve) => setTimeout(resolve, 0));
      },
      line: {
        get: () => this.line,
        subscribe: (watcher) => {
          this.watchers.add(watcher);
          return () => this.watchers.delete(watcher);
        },
        doubt: () => {
          this.doubts += 1;
        },
        heard: () => undefined,
      },
      onDone: (upload) => this.done.push(upload),
    });
  }

  lineBecomes(line: Line): void {
    this.line = line;
    for (const watcher of this.watchers) watcher();
  }
}

function fileOf(bytes: number, name = "a.png"): File {
  return new File([Uint8Array.from({ length: bytes }, (_, place) => place % 251)], name, { lastModified: 5 });
}

function filing(file: File): Filing {
  return { file, mimeType: "image/png", modality: "XRAY", patientId: 3, studyId: 7, studyWords: "Bitewing" };
}

async function until(holds: () => boolean): Promise<void> {
  for (let round = 0; round < 400; round += 1) {
    if (holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  throw new Error("It did not come to that.");
}

async function state(queue: UploadQueue, wanted: Upload["state"]): Promise<Upload> {
  await until(() => queue.get()[0]?.state === wanted);
  const [upload] = queue.get();
  if (upload === undefined) throw new Error("Nothing is there.");
  return upload;
}

describe("an upload", () => {
  test("sends the file piece by piece and ends with its asset", async () => {
    const room = new Room();
    const file = fileOf(700_000);
    room.queue.add([filing(file)]);
    const upload = await state(room.queue, "done");
    expect(upload.assetId).toBe(101);
    expect(room.server.sent.map(([, offset]) => offset)).toEqual([0, 262_144, 562_144]);
    expect(room.server.holds("u1", await file.arrayBuffer())).toBe(true);
    expect(room.server.hash).toBe("ab");
    expect(room.kept.of("sam", 3)).toEqual([]);
    expect(room.done).toHaveLength(1);
    expect(room.queue.isBusy()).toBe(false);
  });

  test("waits for the line and goes on from where the server has got to", async () => {
    const room = new Room();
    room.server.failures = [null, new NetworkError("cut")];
    room.line = "offline";
    room.queue.add([filing(fileOf(700_000))]);
    const waiting = await state(room.queue, "waiting");
    expect(waiting.sentBytes).toBe(262_144);
    expect(room.kept.of("sam", 3)[0]?.receivedBytes).toBe(262_144);
    await until(() => room.doubts === 1 && room.watchers.size === 1);
    room.lineBecomes("up");
    await state(room.queue, "done");
    expect(room.server.sent.map(([, offset]) => offset).slice(0, 2)).toEqual([0, 262_144]);
  });

  test("is taken up again by the page's next life with the same file", async () => {
    const room = new Room();
    const file = fileOf(700_000);
    room.server.failures = [null, new NetworkError("reload")];
    room.line = "offline";
    room.queue.add([filing(file)]);
    await state(room.queue, "waiting");
    room.queue.leave();
    const next = room.fresh();
    const kept = room.kept.find("sam", 3, fingerprintOf(fileOf(700_000)));
    expect(kept?.fileName).toBe("a.png");
    expect(room.kept.find("eve", 3, fingerprintOf(file))).toBeUndefined();
    room.lineBecomes("up");
    next.add([{ ...filing(file), uploadId: kept?.uploadId ?? "" }]);
    await state(next, "done");
    expect(room.server.sent.filter(([, offset]) => offset === 0)).toHaveLength(1);
    expect(room.server.holds("u1", await file.arrayBuffer())).toBe(true);
  });

  test("begins anew when the server has forgotten it", async () => {
    const room = new Room();
    room.queue.add([{ ...filing(fileOf(10)), uploadId: "expired" }]);
    const upload = await state(room.queue, "done");
    expect(upload.uploadId).toBe("u1");
  });

  test("begins anew when the file has changed since", async () => {
    const room = new Room();
    room.server.failures = [null, new ApiError(409, "upload_differs", "Other bytes came before.")];
    room.queue.add([filing(fileOf(700_000))]);
    const upload = await state(room.queue, "done");
    expect(upload.uploadId).toBe("u2");
    expect(room.server.dropped).toEqual(["u1"]);
  });

  test("that the server refuses ends with its words and leaves nothing behind", async () => {
    const room = new Room();
    room.server.completeFailures = [new ApiError(422, "broken_picture", "The picture is cut off.")];
    room.queue.add([filing(fileOf(10))]);
    const upload = await state(room.queue, "failed");
    expect(upload.error?.message).toBe("The picture is cut off.");
    expect(room.server.dropped).toEqual(["u1"]);
    expect(room.kept.of("sam", 3)).toEqual([]);
  });

  test("meets a server out of order with patience, as long as it was asked for, and then asks a person", async () => {
    const room = new Room();
    const busy = new ApiError(503, "storage_unavailable", "Storage is away.", null, null, 7);
    room.server.failures = [busy, busy];
    room.queue.add([filing(fileOf(10))]);
    await state(room.queue, "done");
    expect(room.waited).toEqual([7_000, 7_000]);
    room.queue.clearDone();
    room.server.beginFailure = busy;
    room.queue.add([filing(fileOf(11))]);
    await state(room.queue, "failed");
    room.server.beginFailure = null;
    room.queue.resume(room.queue.get()[0]?.id ?? 0);
    await state(room.queue, "done");
  });

  test("pauses, goes on, and can be taken back", async () => {
    const room = new Room();
    room.queue.add([filing(fileOf(6_000_000))]);
    await until(() => room.server.sent.length >= 2);
    room.queue.pause(1);
    const sent = room.server.sent.length;
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(room.server.sent).toHaveLength(sent);
    expect(room.queue.get()[0]?.state).toBe("paused");
    room.queue.resume(1);
    await state(room.queue, "done");
    room.queue.add([filing(fileOf(2_000_000, "b.png"))]);
    await until(() => room.server.sent.some(([uploadId]) => uploadId === "u2"));
    room.queue.remove(2);
    expect(room.server.dropped).toEqual(["u2"]);
    expect(room.kept.of("sam", 3)).toEqual([]);
  });

  test("whose file has gone says so", async () => {
    const room = new Room();
    const file = fileOf(10);
    file.slice = () => ({ arrayBuffer: () => Promise.reject(new DOMException("gone", "NotReadableError")) }) as unknown as Blob;
    room.queue.add([filing(file)]);
    const upload = await state(room.queue, "failed");
    expect(upload.error?.message).toContain("cannot be read");
  });
});

test("of many files two are on their way at a time", async () => {
  const room = new Room();
  room.queue.add([1, 2, 3, 4, 5].map((n) => filing(fileOf(600_000, `${n}.png`))));
  await until(() => room.done.length === 5);
  expect(room.server.mostOpen).toBe(2);
});

test("a line in doubt is asked about until the server answers", async () => {
  const answers = [false, false, true];
  const later: (() => void)[] = [];
  const line = new Connection({
    ask: () => Promise.resolve(answers.shift() ?? true),
    hasLine: () => answers.length < 2,
    later: (_, run) => {
      later.push(run);
      return () => undefined;
    },
  });
  const heard: Line[] = [];
  line.subscribe(() => heard.push(line.get()));
  line.doubt();
  line.doubt();
  for (let round = 0; round < 2; round += 1) {
    await new Promise((resolve) => setTimeout(resolve, 0));
    later.shift()?.();
  }
  await new Promise((resolve) => setTimeout(resolve, 0));
  expect(heard).toEqual(["offline", "unreachable", "up"]);
});
