/** How the page of the stock loader is built: as any page with Cornerstone, below an address of its own. */
export default {
  base: "/bench/",
  build: { target: "es2022", chunkSizeWarningLimit: 8000 },
  worker: { format: "es" },
};
