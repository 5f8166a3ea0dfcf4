/** Brings Cornerstone before it is asked for, or tells that it is there. */

let isHere = false;

/** Fetches the chunk, which is as large as all other pages together, and opens WebGL and the decoders. */
export function startEarly(): void {
  bringStack().catch(() => undefined); // Whoever opens a stack is told.
}

/** What opens stacks, ready to do so. */
export async function bringStack(): Promise<typeof import("@/lib/cornerstone/stack")> {
  const stack = await import("@/lib/cornerstone/stack");
  stack.ready();
  isHere = true;
  return stack;
}

/** True when a stack opens at once. */
export function isStackHere(): boolean {
  return isHere;
}
