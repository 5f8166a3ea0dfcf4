/** Decodes pictures before they are asked for: the neighbours, and on in the direction of the scroll. */
import { cache, imageLoader } from "@cornerstonejs/core";

import { decoders } from "@/lib/cornerstone/init";
import { pictureName, type PictureSet } from "@/lib/cornerstone/pictures";
import { frameBytes } from "@/lib/frames/describe";
import { type Direction, NEAR, wantedOrder } from "@/lib/frames/order";

/** Farther ahead nothing is gained: the decoders are faster than a hand. */
const MOST = 24;
/** Large pictures are not decoded ahead by the dozen. */
const MOST_BYTES = 48 * 1024 ** 2;

export class Ahead {
  private running = 0;
  private wanted: number[] = [];
  private isOver = false;

  constructor(
    private readonly set: PictureSet,
    private readonly options: Record<string, unknown>,
  ) {}

  /** This frame is on the screen: what is decoded next follows from it. */
  around(index: number, direction: Direction): void {
    const each = Math.max(1, frameBytes(this.set.manifest, index));
    // Before the first turn of the wheel the neighbours will do: the processor has a whole page to start.
    const most = direction === 0 ? 2 * NEAR : Math.max(2 * NEAR, Math.min(MOST, Math.floor(MOST_BYTES / each)));
    this.wanted = [];
    for (const other of wantedOrder(this.set.manifest.frameCount, index, direction)) {
      if (other !== index) this.wanted.push(other);
      if (this.wanted.length >= most) break;
    }
    this.pump();
  }

  /** More bytes are here. */
  pump(): void {
    while (!this.isOver && this.running < decoders()) {
      const index = this.next();
      if (index === undefined) return;
      this.running += 1;
      void imageLoader
        .loadAndCacheImage(pictureName(this.set, index), this.options as never)
        .catch(() => undefined) // Shown as a problem when it is asked for.
        .finally(() => {
          this.running -= 1;
          this.pump();
        });
    }
  }

  stop(): void {
    this.isOver = true;
    this.wanted = [];
  }

  /** The nearest one that is here and not decoded. */
  private next(): number | undefined {
    const { load } = this.set;
    for (let at = 0; at < this.wanted.length; at += 1) {
      const index = this.wanted[at] ?? 0;
      if (cache.getImageLoadObject(pictureName(this.set, index)) !== undefined) this.wanted.splice(at--, 1);
      else if (load.has(index)) return this.wanted.splice(at, 1)[0];
    }
    return undefined;
  }
}
