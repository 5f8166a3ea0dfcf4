/** `45 / 250`: where one is, and a field to go elsewhere. */
import { useState, type Ref } from "react";

import { typedIndex } from "./place";
import classes from "./room.module.css";
import { useViewed } from "./use-viewing";
import type { Viewing } from "./viewing";

export function Counter({ viewing, ref }: { viewing: Viewing; ref: Ref<HTMLInputElement> }) {
  const index = useViewed(viewing, (state) => state.index);
  const [typed, setTyped] = useState<string | null>(null);

  function go() {
    const wanted = typed === null ? null : typedIndex(typed, viewing.total);
    setTyped(null);
    if (wanted !== null) viewing.goTo(wanted);
  }

  return (
    <form
      className={classes.counter}
      onSubmit={(event) => {
        event.preventDefault();
        go();
      }}
    >
      <input
        ref={ref}
        aria-label="Image number"
        inputMode="numeric"
        autoComplete="off"
        style={{ inlineSize: `${Math.max(2, String(viewing.total).length) + 1.6}ch` }}
        value={typed ?? String(index + 1)}
        onChange={(event) => setTyped(event.currentTarget.value)}
        onFocus={(event) => event.currentTarget.select()}
        onBlur={go}
        onKeyDown={(event) => {
          if (event.key !== "Escape") return;
          event.stopPropagation();
          setTyped(null);
          event.currentTarget.blur();
        }}
      />
      <span>/ {viewing.total}</span>
    </form>
  );
}
