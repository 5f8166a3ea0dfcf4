/** The page's end of the line to the frame worker. */
import type { FromWorker, ToWorker } from "@/lib/frames/messages";

/** What can be asked; the answer's shape goes with it. */
export type Question =
  | { what: "open"; series: string }
  | { what: "bytes"; series: string; index: number }
  | { what: "forget"; series: string }
  | { what: "wipe" };

/** As much of a Worker as is needed, so that tests can put the house itself behind it. */
export interface WorkerLike {
  postMessage: (message: ToWorker) => void;
  onmessage: ((event: { data: FromWorker }) => void) | null;
  terminate: () => void;
}

export class Port {
  private readonly waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>();
  private asks = 0;
  private listener: ((message: FromWorker) => void) | null = null;

  constructor(
    readonly owner: string,
    private readonly worker: WorkerLike,
  ) {
    worker.onmessage = (event) => this.hear(event.data);
  }

  listen(listener: (message: FromWorker) => void): void {
    this.listener = listener;
  }

  post(message: ToWorker): void {
    this.worker.postMessage(message);
  }

  ask<T>(question: Question): Promise<T> {
    this.asks += 1;
    const ask = this.asks;
    return new Promise<T>((resolve, reject) => {
      this.waiting.set(ask, { resolve: resolve as (value: unknown) => void, reject });
      this.worker.postMessage({ kind: "ask", ask, ...question });
    });
  }

  end(): void {
    this.worker.terminate();
    for (const { reject } of this.waiting.values()) reject(new Error("The viewer was closed."));
    this.waiting.clear();
  }

  private hear(message: FromWorker): void {
    if (message.kind !== "answer" && message.kind !== "refused") {
      this.listener?.(message);
      return;
    }
    const waiting = this.waiting.get(message.ask);
    this.waiting.delete(message.ask);
    if (message.kind === "answer") waiting?.resolve(message.value);
    else waiting?.reject(new Error(message.message));
  }
}
