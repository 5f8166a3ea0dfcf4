import { describe, expect, test } from "vitest";

import { actOf } from "./keys";
import type { Preset } from "./presets";

const PRESETS: readonly Preset[] = [{ name: "As in the file", window: null, key: "1" }];

function press(key: string, held: Partial<Record<"shiftKey" | "ctrlKey" | "metaKey" | "altKey", boolean>> = {}) {
  return actOf({ key, shiftKey: false, ctrlKey: false, metaKey: false, altKey: false, ...held }, PRESETS);
}

describe("a key", () => {
  test("with Shift is another one only where it is a letter", () => {
    expect(press("R", { shiftKey: true })).not.toBe(press("r"));
    expect(press("L", { shiftKey: true })).toBeNull();
    expect(press("ArrowDown", { shiftKey: true })).toBeNull();
  });

  test.each([
    [";", "the next series, on a German keyboard"],
    ["+", "nearer, on an American one"],
    [".", "real size, on a French one"],
    ["1", "a window, on a French one"],
  ])("%s does the same whether or not a keyboard needs Shift for it: %s", (key) => {
    expect(String(press(key, { shiftKey: true }))).toBe(String(press(key)));
    expect(press(key, { shiftKey: true })).not.toBeNull();
  });

  test("with Ctrl, Alt or Meta is the browser's", () => {
    for (const held of ["ctrlKey", "altKey", "metaKey"]) expect(press("r", { [held]: true })).toBeNull();
  });
});
