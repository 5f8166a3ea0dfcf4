/** How the pages are built: one bundle for the start, one chunk for each admin page, no inlined files. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { gzip } from "node:zlib";

import react from "@vitejs/plugin-react";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";

/** Puts early.ts before everything else: it is a script of its own, run as soon as it and what it imports are there. */
function early(): Plugin {
  return {
    name: "early",
    transformIndexHtml: {
      order: "post",
      handler: (_html, { bundle = {} }) => {
        const chunks = Object.values(bundle).filter((each) => each.type === "chunk");
        const built = chunks.find((each) => each.isEntry && each.name === "early");
        const files = new Set(built === undefined ? [] : [built.fileName]);
        for (const file of files) for (const other of chunks.find((each) => each.fileName === file)?.imports ?? []) files.add(other);
        const [first = "src/early.ts", ...others] = files;
        const preloads = others.map((file) => ({ tag: "link", attrs: { rel: "modulepreload", crossorigin: true, href: `/${file}` } }));
        const script = { tag: "script", attrs: { type: "module", async: true, crossorigin: true, src: `/${first}` } };
        return [script, ...preloads].map((tag) => ({ ...tag, injectTo: "head-prepend" as const }));
      },
    },
  };
}

const LEAST_PACKED_BYTES = 1024;

/** A packed file beside each one that gains by it: the gateway sends it as it is, and packs nothing while somebody waits. */
function packed(): Plugin {
  return {
    name: "packed",
    apply: "build",
    writeBundle: async ({ dir = "" }, bundle) => {
      for (const name of Object.keys(bundle)) {
        if (!/\.(js|css|wasm|svg|json)$/.test(name)) continue;
        const data = await readFile(join(dir, name));
        if (data.length >= LEAST_PACKED_BYTES) await writeFile(join(dir, `${name}.gz`), await promisify(gzip)(data, { level: 9 }));
      }
    },
  };
}

export default defineConfig({
  plugins: [react(), early(), packed()],
  resolve: { alias: { "@": fileURLToPath(new URL("./src", import.meta.url)) } },
  build: {
    target: "es2022",
    rolldownOptions: {
      input: { index: fileURLToPath(new URL("./index.html", import.meta.url)), early: fileURLToPath(new URL("./src/early.ts", import.meta.url)) },
    },
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
  test: { environment: "node", include: ["src/**/*.test.ts"], testTimeout: 30_000 },
});
