/** Frames and manifests that the browser keeps: IndexedDB by Dexie, within a budget, for a time, for one person. */
import { Dexie, type EntityTable, type Table } from "dexie";

import { crc32 } from "@/lib/frames/crc32";
import { SHELF_NAME } from "@/lib/frames/forget";
import type { FrameRecord } from "@/lib/frames/records";
import type { CacheSettings, Encoding, Manifest } from "@/lib/frames/types";

interface KeptSeries {
  /** Owner and series: what one person keeps, nobody else is shown. */
  id: string;
  version: string;
  manifest: Manifest;
  bytes: number;
  /** Milliseconds since 1970. */
  keptAt: number;
  usedAt: number;
}

interface KeptFrame {
  series: string;
  index: number;
  encoding: Encoding;
  crc: number;
  data: ArrayBuffer;
}

export class ShelfDatabase extends Dexie {
  declare series: EntityTable<KeptSeries, "id">;
  declare frames: Table<KeptFrame, [string, number]>;

  constructor(parts: { indexedDB?: IDBFactory; IDBKeyRange?: typeof IDBKeyRange }) {
    // Relaxed: a frame that a power cut loses is fetched again; waiting for the disk each time is not worth it.
    super(SHELF_NAME, { chromeTransactionDurability: "relaxed", ...parts });
    this.version(1).stores({ series: "id, usedAt", frames: "[series+index], series" });
  }
}

const HOUR_MS = 3_600_000;
const LARGEST_DEFAULT = 2 * 1024 ** 3;
const SHARE_OF_QUOTA = 0.2;
/** Another tab keeps too: when this one has written so much, or such a share of the budget, all that is kept is counted anew. */
const COUNTED_EVERY = 64 * 1024 ** 2;
const COUNTED_SHARE = 1 / 16;

export interface ShelfParts {
  owner: string;
  now: () => number;
  /** Bytes that the browser would let us have; null when it does not say. */
  quota: () => Promise<number | null>;
  /** The store, opened or on its way; rejects where a browser has none. */
  store: () => Promise<ShelfDatabase>;
}

/** Opens the store, which is everybody's: it need not be known yet whose part of it is wanted. */
export async function openStore(parts: { indexedDB?: IDBFactory; IDBKeyRange?: typeof IDBKeyRange } = {}): Promise<ShelfDatabase> {
  const db = new ShelfDatabase(parts);
  await db.open();
  return db;
}

/** Every method may be called whether or not there is a store: without one nothing is kept and nothing found. */
export class Shelf {
  canKeep = true;
  private db: ShelfDatabase | null = null;
  private budget = LARGEST_DEFAULT;
  private keepMs = 24 * HOUR_MS;
  /** Series that are open: the budget never takes them away. */
  private readonly open = new Set<string>();
  private readonly sizes = new Map<string, number>();
  /** Bytes written since all was counted. */
  private written = 0;
  /** What has expired is gone, and it is known how much there is: nothing is written before. */
  private tidied: Promise<void> = Promise.resolve();

  constructor(private readonly parts: ShelfParts) {}

  /** Can be read as soon as this resolves. A private window has no store: `canKeep` is false then. */
  async start(settings: CacheSettings | null): Promise<void> {
    if (settings !== null) this.keepMs = settings.keepHours * HOUR_MS;
    try {
      this.db = await this.parts.store();
      // Another tab wiped the store: what is here stays in memory, and nothing more is written.
      this.db.on("versionchange", () => this.giveUp());
    } catch {
      this.giveUp();
    }
    this.tidied = this.use(settings);
  }

  /** Resolves when it is known how much is kept. */
  whole(): Promise<void> {
    return this.tidied;
  }

  /** Takes over new settings; null: a fifth of what the browser offers, at most 2 GB, for 24 hours. */
  async use(settings: CacheSettings | null): Promise<void> {
    if (settings === null) {
      const quota = await this.parts.quota().catch(() => null);
      this.budget = quota === null ? LARGEST_DEFAULT : Math.min(LARGEST_DEFAULT, quota * SHARE_OF_QUOTA);
    } else {
      this.budget = settings.budgetBytes;
      this.keepMs = settings.keepHours * HOUR_MS;
    }
    await this.tidy();
  }

  /** What is kept of a series: manifest and the indices of its frames. */
  async find(series: string): Promise<{ manifest: Manifest; indices: number[] } | null> {
    this.open.add(this.id(series));
    return this.attempt(null, async (db) => {
      const id = this.id(series);
      const kept = await db.series.get(id);
      if (kept === undefined || this.isExpired(kept)) return null;
      const keys = await db.frames.where("series").equals(id).primaryKeys();
      // Nobody waits for that: the picture comes first.
      void this.attempt(0, () => db.series.update(id, { usedAt: this.parts.now() }));
      return { manifest: kept.manifest, indices: keys.map(([, index]) => index) };
    });
  }

  /** Files the manifest; frames of another version go. */
  async keepManifest(series: string, manifest: Manifest): Promise<void> {
    const id = this.id(series);
    await this.tidied;
    await this.attempt(undefined, async (db) => {
      const before = await db.series.get(id);
      const now = this.parts.now();
      if (before?.version === manifest.version) {
        await db.series.update(id, { usedAt: now, keptAt: now });
        return;
      }
      await this.remove(db, [id]);
      await db.series.put({ id, version: manifest.version, manifest, bytes: 0, keptAt: now, usedAt: now });
      this.sizes.set(id, 0);
    });
  }

  /** Files frames of a series whose manifest is filed. Gives the indices that are kept now: none when there is no room. */
  async keep(series: string, version: string, frames: readonly FrameRecord[]): Promise<number[]> {
    const id = this.id(series);
    const bytes = frames.reduce((sum, frame) => sum + frame.data.byteLength, 0);
    return this.attempt<number[]>([], async (db) => {
      if (!(await this.makeRoom(db, id, bytes))) return [];
      return db.transaction("rw", db.series, db.frames, async () => {
        const kept = await db.series.get(id);
        if (kept?.version !== version) return [];
        await db.frames.bulkPut(
          frames.map(({ index, encoding, crc, data }) => ({ series: id, index, encoding, crc, data })),
        );
        await db.series.update(id, { bytes: kept.bytes + bytes, usedAt: this.parts.now() });
        this.sizes.set(id, kept.bytes + bytes);
        this.written += bytes;
        return frames.map((frame) => frame.index);
      });
    });
  }

  /** A kept frame whose checksum still holds; one that has rotted is dropped, and null. */
  async read(series: string, index: number): Promise<FrameRecord | null> {
    const id = this.id(series);
    return this.attempt(null, async (db) => {
      const frame = await db.frames.get([id, index]);
      if (frame === undefined) return null;
      if (crc32(new Uint8Array(frame.data)) === frame.crc) return frame;
      await db.frames.delete([id, index]);
      return null;
    });
  }

  /** Drops a series: it has changed, or is no longer ours to see. */
  async forget(series: string): Promise<void> {
    await this.attempt(undefined, (db) => this.remove(db, [this.id(series)]));
  }

  /** The series is closed: from now on the budget may take it. */
  release(series: string): void {
    this.open.delete(this.id(series));
  }

  /** Drops everything, of everybody. */
  async wipe(): Promise<void> {
    await this.attempt(undefined, async (db) => {
      await db.transaction("rw", db.series, db.frames, async () => {
        await db.frames.clear();
        await db.series.clear();
      });
      this.sizes.clear();
    });
  }

  get cachedBytes(): number {
    return [...this.sizes.values()].reduce((sum, bytes) => sum + bytes, 0);
  }

  get cachedSeries(): number {
    return this.sizes.size;
  }

  private id(series: string): string {
    return `${this.parts.owner}\n${series}`;
  }

  private isExpired(kept: KeptSeries): boolean {
    return kept.keptAt + this.keepMs <= this.parts.now();
  }

  /** Drops what has expired, and the longest unused beyond the budget. */
  private async tidy(): Promise<void> {
    await this.attempt(undefined, async (db) => {
      const all = await db.series.toArray();
      await this.remove(db, all.filter((each) => this.isExpired(each)).map((each) => each.id));
      this.count(all.filter((each) => !this.isExpired(each)));
      await this.makeRoom(db, null, 0);
    });
  }

  private count(all: readonly KeptSeries[]): void {
    this.sizes.clear();
    for (const { id, bytes } of all) this.sizes.set(id, bytes);
    this.written = 0;
  }

  /** True when `bytes` more fit into the budget, the longest unused series given up for them if need be. */
  private async makeRoom(db: ShelfDatabase, keeper: string | null, bytes: number): Promise<boolean> {
    if (this.written > Math.min(COUNTED_EVERY, this.budget * COUNTED_SHARE)) this.count(await db.series.toArray());
    let over = this.cachedBytes + bytes - this.budget;
    if (over <= 0) return true;
    const oldest = await db.series.orderBy("usedAt").toArray();
    for (const each of oldest) {
      if (over <= 0) break;
      if (each.id === keeper || this.open.has(each.id)) continue;
      over -= this.sizes.get(each.id) ?? each.bytes;
      await this.remove(db, [each.id]);
    }
    return over <= 0;
  }

  private async remove(db: ShelfDatabase, ids: readonly string[]): Promise<void> {
    if (ids.length === 0) return;
    await db.transaction("rw", db.series, db.frames, async () => {
      await db.frames.where("series").anyOf(ids).delete();
      await db.series.bulkDelete([...ids]);
    });
    for (const id of ids) this.sizes.delete(id);
  }

  /** Runs it against the store; a full disk, a wiped or broken store ends keeping, never loading. */
  private async attempt<T>(otherwise: T, run: (db: ShelfDatabase) => Promise<T>): Promise<T> {
    if (this.db === null) return otherwise;
    try {
      return await run(this.db);
    } catch (error) {
      const name = (error as { name?: string; inner?: { name?: string } }).name ?? "";
      const inner = (error as { inner?: { name?: string } }).inner?.name ?? "";
      if ([name, inner].includes("QuotaExceededError")) await this.shrink();
      else this.giveUp();
      return otherwise;
    }
  }

  /** The disk holds less than the budget says: what is there is the budget from now on. */
  private async shrink(): Promise<void> {
    this.budget = Math.max(0, Math.floor(this.cachedBytes * 0.9));
    const db = this.db;
    if (db === null) return;
    try {
      await this.makeRoom(db, null, 0);
    } catch {
      this.giveUp();
    }
  }

  private giveUp(): void {
    this.canKeep = false;
    this.db?.close();
    this.db = null;
    this.sizes.clear();
  }
}
