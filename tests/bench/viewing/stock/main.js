/** One request for each frame: Cornerstone with its stock loader over DICOMweb, as its examples do it. */
import * as cornerstone from "@cornerstonejs/core";
import dicomImageLoader from "@cornerstonejs/dicom-image-loader";
import * as tools from "@cornerstonejs/tools";

const AT_ONCE = 6; // what a browser opens to one host over HTTP/1.1

const asked = new URLSearchParams(location.search);
const series = `${location.origin}/dicom-web/studies/${asked.get("study")}/series/${asked.get("series")}`;
const headers = { Authorization: `Bearer ${window.benchToken}` };

/** Orthanc gives decimal strings as text; the loader adds them up as they are. */
function asNumbers(instance) {
  for (const element of Object.values(instance)) {
    if ((element.vr === "DS" || element.vr === "IS") && element.Value) {
      element.Value = element.Value.map(Number);
    }
  }
  return instance;
}

/** The series' frames along the normal of the first, as ids of the stock loader. */
async function imageIds() {
  const answer = await fetch(`${series}/metadata`, { headers: { ...headers, Accept: "application/dicom+json" } });
  const instances = (await answer.json()).map(asNumbers);
  const [a, b, c, d, e, f] = instances[0]["00200037"].Value;
  const normal = [b * f - c * e, c * d - a * f, a * e - b * d];
  const along = (instance) => instance["00200032"].Value.reduce((sum, x, axis) => sum + x * normal[axis], 0);
  instances.sort((one, other) => along(one) - along(other));
  return instances.map((instance) => {
    const id = `wadors:${series}/instances/${instance["00080018"].Value[0]}/frames/1`;
    dicomImageLoader.wadors.metaDataManager.add(id, instance);
    return id;
  });
}

async function main() {
  window.cornerstone = cornerstone;
  await cornerstone.init();
  dicomImageLoader.init({ maxWebWorkers: 2, beforeSend: () => headers });
  await tools.init();
  const element = document.getElementById("stack");
  const engine = new cornerstone.RenderingEngine("stock");
  engine.enableElement({ viewportId: "stack", type: cornerstone.Enums.ViewportType.STACK, element });
  tools.addTool(tools.StackScrollTool);
  const group = tools.ToolGroupManager.createToolGroup("stock");
  group.addTool(tools.StackScrollTool.toolName);
  group.addViewport("stack", "stock");
  group.setToolActive(tools.StackScrollTool.toolName, {
    bindings: [{ mouseButton: tools.Enums.MouseBindings.Wheel }],
  });
  const ids = await imageIds();
  const viewport = engine.getViewport("stack");
  await viewport.setStack(ids, 0);
  viewport.render();
  let next = 0;
  const one = async () => {
    while (next < ids.length) {
      await cornerstone.imageLoader.loadAndCacheImage(ids[next++]);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, one));
}

main().catch((error) => {
  window.benchError = String(error?.stack ?? error);
});
