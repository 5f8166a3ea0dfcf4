/** The tools of a stack: which hand movement does what. The wheel belongs to the page. */
import {
  addTool,
  AngleTool,
  annotation,
  EllipticalROITool,
  Enums,
  LengthTool,
  PanTool,
  ProbeTool,
  RectangleROITool,
  StackScrollTool,
  ToolGroupManager,
  WindowLevelTool,
  ZoomTool,
} from "@cornerstonejs/tools";

import type { ToolName } from "@/lib/cornerstone/types";

/** Sent to the element when a hand has changed the window. */
export const WINDOW_DRAGGED = "rr-window-dragged";

class WindowTool extends WindowLevelTool {
  static override toolName = "ReadingRoomWindow";

  override mouseDragCallback(event: Parameters<WindowLevelTool["mouseDragCallback"]>[0]): void {
    super.mouseDragCallback(event);
    const { element } = (event as { detail: { element: HTMLDivElement } }).detail;
    element.dispatchEvent(new CustomEvent(WINDOW_DRAGGED));
  }
}

interface Kind {
  new (): unknown;
  toolName: string;
}

/** The packages leave `toolName` untyped. */
const KINDS: Record<ToolName, Kind> = {
  window: WindowTool,
  pan: PanTool,
  zoom: ZoomTool,
  scroll: StackScrollTool,
  length: LengthTool,
  angle: AngleTool,
  ellipse: EllipticalROITool,
  rectangle: RectangleROITool,
  probe: ProbeTool,
};

/** Those that leave something drawn behind: it stays to be seen and moved while another tool is in hand. */
const DRAWING: readonly ToolName[] = ["length", "angle", "ellipse", "rectangle", "probe"];
const { Primary, Secondary, Auxiliary } = Enums.MouseBindings;

/** Makes the tools known; once, after Cornerstone's own start. */
export function addToolKinds(): void {
  for (const kind of Object.values(KINDS)) addTool(kind);
}

/** The tools of one stack. */
export class Hands {
  private readonly group;
  private inHand: ToolName = "window";

  constructor(
    private readonly id: string,
    private readonly engineId: string,
  ) {
    const group = ToolGroupManager.createToolGroup(id);
    if (group === undefined) throw new Error(`the tools of ${id} are there already`);
    this.group = group;
    for (const kind of Object.values(KINDS)) group.addTool(kind.toolName);
    group.addViewport(id, engineId);
    // What was drawn here before is there to be seen again.
    for (const name of DRAWING) group.setToolPassive(KINDS[name].toolName);
    this.take("window");
  }

  /** The left button and one finger do this from now on. */
  take(tool: ToolName): void {
    const { group } = this;
    const before = KINDS[this.inHand].toolName;
    if (DRAWING.includes(this.inHand)) group.setToolPassive(before);
    else group.setToolDisabled(before);
    this.inHand = tool;
    for (const name of Object.keys(KINDS) as ToolName[]) {
      const bindings = [
        ...(name === tool ? [{ mouseButton: Primary }, { numTouchPoints: 1 }] : []),
        ...(name === "pan" ? [{ mouseButton: Auxiliary }] : []),
        // Two fingers apart or together, or both moved: the tool pans too.
        ...(name === "zoom" ? [{ mouseButton: Secondary }, { numTouchPoints: 2 }] : []),
      ];
      if (bindings.length > 0) group.setToolActive(KINDS[name].toolName, { bindings });
    }
  }

  /** Removes what was drawn there; what stands on other series stays. */
  clear(place: string): void {
    for (const uid of drawnAt(place)) annotation.state.removeAnnotation(uid);
  }

  /** Removes what is marked there, else what was drawn there last. */
  clearOne(place: string): void {
    const drawn = drawnAt(place);
    const marked = drawn.filter((uid) => annotation.selection.isAnnotationSelected(uid));
    for (const uid of marked.length > 0 ? marked : drawn.slice(-1)) annotation.state.removeAnnotation(uid);
  }

  destroy(): void {
    this.group.removeViewports(this.engineId, this.id);
    ToolGroupManager.destroyToolGroup(this.id);
  }
}

/** Measurements at a place, see `placeOfMeasurements`, in the order in which they were drawn. */
function drawnAt(place: string): string[] {
  return annotation.state.getAllAnnotations().flatMap(({ annotationUID, metadata }) => (annotationUID !== undefined && metadata?.FrameOfReferenceUID === place ? [annotationUID] : []));
}

/** Removes what was drawn on any series. */
export function forgetMeasurements(): void {
  annotation.state.removeAllAnnotations();
}
