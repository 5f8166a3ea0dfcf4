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

interface Kind {
  new (): unknown;
  toolName: string;
}

/** The packages leave `toolName` untyped. */
const KINDS: Record<ToolName, Kind> = {
  window: WindowLevelTool,
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

  clear(): void {
    annotation.state.removeAllAnnotations();
  }

  /** Removes what is marked, else what was drawn last. */
  clearOne(): void {
    const marked = annotation.selection.getAnnotationsSelected();
    const last = annotation.state.getAllAnnotations().at(-1)?.annotationUID;
    for (const uid of marked.length > 0 ? [...marked] : last === undefined ? [] : [last]) annotation.state.removeAnnotation(uid);
  }

  destroy(): void {
    this.group.removeViewports(this.engineId, this.id);
    ToolGroupManager.destroyToolGroup(this.id);
  }
}
