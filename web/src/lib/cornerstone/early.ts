/** Begins to start Cornerstone before there is anything to draw: beside the session and the manifest, not after them. */

/** Fetches the chunk, which is as large as all other pages together, and opens WebGL and the decoders. */
export function startEarly(): void {
  import("@/lib/cornerstone/stack")
    .then(({ ready }) => ready())
    .catch(() => undefined); // Whoever opens a stack is told.
}
