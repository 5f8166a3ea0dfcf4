/** What every page of the benchmark is watched with: when pictures were drawn and loaded, and after which turn of the wheel. */
(() => {
  const seen = { first: null, loaded: [], drawn: [], wheels: [] };
  window.benchSeen = seen;
  performance.setResourceTimingBufferSize(20000);
  let turned = null;
  let changed = false;
  // Events of an element do not bubble; on their way down they pass the document.
  document.addEventListener("wheel", (event) => { turned = event.timeStamp; }, { capture: true, passive: true });
  document.addEventListener("CORNERSTONE_STACK_NEW_IMAGE", () => { changed = true; }, true);
  document.addEventListener("CORNERSTONE_IMAGE_RENDERED", () => {
    const now = performance.now();
    if (!changed) return;
    changed = false;
    seen.first ??= now;
    seen.drawn.push(now);
    if (turned !== null) seen.wheels.push(now - turned);
    turned = null;
  }, true);
  // Our own page says where anybody can read it how far it is, and that it has painted the first picture before Cornerstone was there.
  const label = (told) => {
    if (told.dataset.painted !== undefined) requestAnimationFrame(() => { seen.first ??= performance.now(); });
    while (seen.loaded.length < Number(told.dataset.loaded)) seen.loaded.push(performance.now());
  };
  new MutationObserver((changes) => {
    for (const change of changes) {
      if (change.type === "attributes") label(change.target);
      for (const node of change.addedNodes) node.querySelectorAll?.("[data-loaded], [data-painted]").forEach(label);
    }
  }).observe(document, { subtree: true, childList: true, attributes: true, attributeFilter: ["data-loaded", "data-painted"] });
  const listen = (cornerstone) => {
    const known = new Set();
    cornerstone.eventTarget.addEventListener("CORNERSTONE_IMAGE_LOADED", (event) => {
      const id = event.detail.image.imageId;
      if (known.has(id)) return;
      known.add(id);
      seen.loaded.push(performance.now());
    });
  };
  Object.defineProperty(window, "cornerstone", {
    configurable: true,
    get: () => undefined,
    set(cornerstone) {
      Object.defineProperty(window, "cornerstone", { value: cornerstone, writable: true, configurable: true });
      if (cornerstone?.eventTarget) listen(cornerstone);
    },
  });
})();
