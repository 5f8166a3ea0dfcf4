/** For a dialog that is there only while it is open: when it goes, the focus goes back to where it came from. */
import { useEffect, useState } from "react";

export function useFocusBack(): void {
  const [origin] = useState(originOf);
  useEffect(
    () => () => {
      // After the dialog has left the page: as long as it is there it keeps the focus.
      setTimeout(() => {
        if (document.querySelector("[role=dialog]") !== null) return;
        const back = origin?.isConnected === true ? origin : document.getElementById("page");
        back?.focus({ preventScroll: true });
      }, 0);
    },
    [origin],
  );
}

/** What had the focus; of an entry in a menu, the button that opened the menu. */
function originOf(): HTMLElement | null {
  const active = document.activeElement;
  if (!(active instanceof HTMLElement)) return null;
  const menu = active.closest("[role=menu]");
  return menu === null ? active : document.getElementById(menu.getAttribute("aria-labelledby") ?? "");
}
