/** What draws a series: the processor, which needs a few milliseconds for a slice, or the graphics card for what only shaders show rightly. */
import { getRenderingCapabilities, getShouldUseCPURendering, setUseCPURendering, type StackViewport } from "@cornerstonejs/core";

import { isPlain } from "@/lib/cornerstone/plain-series";
import type { Brush } from "@/lib/cornerstone/types";
import type { Manifest } from "@/lib/frames/types";

/** Larger pictures follow the mouse more smoothly on a graphics card, where there is a real one. */
const LARGE_PIXELS = 4 * 1024 ** 2;

/** To be called before an element is made a viewport. */
export function takeBrushFor(manifest: Manifest, wish: Brush): void {
  setUseCPURendering(!takesGraphics(manifest, wish), false);
}

function takesGraphics(manifest: Manifest, wish: Brush): boolean {
  if (wish === "graphics" || !isPlain(manifest)) return hasGraphics(true);
  return wish === "auto" && isLarge(manifest) && hasGraphics(false);
}

function isLarge({ defaults, frames }: Manifest): boolean {
  const most = (own: readonly number[] | undefined, common = 0) => (own ?? []).reduce((greatest, each) => Math.max(greatest, each), common);
  return most(frames.rows, defaults.rows) * most(frames.columns, defaults.columns) > LARGE_PIXELS;
}

/** Asked only where it matters: the browser takes a quarter of a second to answer without a graphics card. `imitated`: one that the processor plays will do. */
function hasGraphics(imitated: boolean): boolean {
  const { webgl, softwareRasterizer } = getRenderingCapabilities();
  return webgl && (imitated || !softwareRasterizer);
}

interface DrawnByProcessor {
  _cpuFallbackEnabledElement?: { renderingTools?: { renderCanvas?: HTMLCanvasElement } };
}

/** Values become greys on a canvas in ordinary memory: on one of the imitated card, the first picture would wait a fifth of a second for it. */
export function giveCanvas(viewport: StackViewport): void {
  const tools = (viewport as unknown as DrawnByProcessor)._cpuFallbackEnabledElement?.renderingTools;
  if (!getShouldUseCPURendering() || tools === undefined) return;
  tools.renderCanvas = document.createElement("canvas");
  tools.renderCanvas.getContext("2d", { willReadFrequently: true });
}
