/** How the pages are built: one bundle for the start, one chunk for each admin page, no inlined files. */
import { fileURLToPath } from "node:url";

import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

export default defineConfig({
  plugins: [react()],
  resolve: { alias: { "@": fileURLToPath(new URL("./src", import.meta.url)) } },
  build: {
    target: "es2022",
    // The content policy allows files of our own origin only: nothing may become a data: address.
    assetsInlineLimit: 0,
    // The Mantine part alone is past the default of 500 kB before compression; 160 kB go over the line. Cornerstone (1 MB over the
    // line) is a chunk of its own that only the viewer loads.
    chunkSizeWarningLimit: 4000,
  },
  // The decoders of the viewer load each codec when the first picture needs it.
  worker: { format: "es" },
  server: {
    // `npm run dev` talks to a running instance: READINGROOM_URL=http://localhost:8080 npm run dev
    proxy: Object.fromEntries(
      ["/api", "/share", "^/imaging/(studies|assets|uploads|limits)", "/health"].map((prefix) => [
        prefix,
        process.env.READINGROOM_URL ?? "http://localhost:8080",
      ]),
    ),
  },
  test: { environment: "node", include: ["src/**/*.test.ts"] },
});
