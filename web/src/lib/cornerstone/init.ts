/** Starts Cornerstone, once in the life of the page. */
import { cache, getConfiguration, imageLoader, metaData, RenderingEngine, setConfiguration, setUseCPURendering } from "@cornerstonejs/core";
import { init as initImageLoader } from "@cornerstonejs/dicom-image-loader";
import { init as initTools } from "@cornerstonejs/tools";

import { provide } from "@/lib/cornerstone/metadata";
import { loadPicture } from "@/lib/cornerstone/pictures-loader";
import { forgetPictures, SCHEME } from "@/lib/cornerstone/pictures";
import { addToolKinds, forgetMeasurements } from "@/lib/cornerstone/tools";
import { onForget } from "@/lib/frames/forget";

/** Decoded pictures that are held. With the frame worker's own share the page stays below 500 MB. */
const DECODED_BYTES = 160 * 1024 ** 2;

let engine: RenderingEngine | null = null;

/** Workers that decode; one core is left to the page and one to the frame worker. */
export function decoders(): number {
  return Math.max(1, Math.min(4, navigator.hardwareConcurrency - 2));
}

/** The one rendering engine; the first call starts everything. React may run an effect twice: the second call changes nothing. */
export function ready(): RenderingEngine {
  if (engine === null) {
    // One stack is shown at a time: one WebGL context is enough.
    setConfiguration({ ...getConfiguration(), rendering: { ...getConfiguration().rendering, webGlContextCount: 1 } });
    // Counts as begun, without a look at the graphics card: that takes a quarter of a second where there is none, see brush.ts.
    setUseCPURendering(true, false);
    initImageLoader({ maxWebWorkers: decoders() });
    initTools();
    addToolKinds();
    metaData.addProvider(provide, 10_000);
    imageLoader.registerImageLoader(SCHEME, loadPicture);
    cache.setMaxCacheSize(DECODED_BYTES);
    onForget(() => {
      forgetMeasurements();
      forgetPictures();
      cache.purgeCache();
    });
    engine = new RenderingEngine("readingroom");
  }
  return engine;
}

