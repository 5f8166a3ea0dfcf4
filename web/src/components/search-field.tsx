/** The search box of a list: `/` jumps to it, arrow down leads to the first row, Esc empties it, typing waits a moment before it asks. */
import { CloseButton, Kbd, TextInput } from "@mantine/core";
import { useDebouncedCallback, useHotkeys } from "@mantine/hooks";
import { IconSearch } from "@tabler/icons-react";
import { useRef, useState } from "react";

import { toFirstRow } from "@/components/row-steering";

interface SearchFieldProps {
  label: string;
  value: string;
  onSearch: (value: string) => void;
}

export function SearchField({ label, value, onSearch }: SearchFieldProps) {
  const box = useRef<HTMLInputElement>(null);
  const [typed, setTyped] = useState(value);
  const [known, setKnown] = useState(value);
  // A value from outside (back button, "clear filters") replaces what is typed.
  if (known !== value) {
    setKnown(value);
    if (value !== typed.trim()) setTyped(value);
  }
  const ask = useDebouncedCallback((text: string) => onSearch(text.trim()), 250);
  const jump = () => box.current?.focus();
  // A slash needs Shift on some keyboards.
  useHotkeys([
    ["/", jump],
    ["shift+/", jump],
  ]);

  function change(text: string) {
    setTyped(text);
    ask(text);
  }

  return (
    <TextInput
      ref={box}
      data-row-search
      type="search"
      aria-label={label}
      placeholder={label}
      value={typed}
      onChange={(event) => change(event.currentTarget.value)}
      onKeyDown={(event) => {
        if (event.key === "Escape" && typed !== "") change("");
        toFirstRow(event);
      }}
      leftSection={<IconSearch size={16} aria-hidden />}
      rightSection={
        typed === "" ? (
          <Kbd size="xs" visibleFrom="sm" aria-hidden>
            /
          </Kbd>
        ) : (
          <CloseButton size="sm" aria-label="Clear the search" onClick={() => change("")} />
        )
      }
      w={{ base: "100%", sm: 300 }}
    />
  );
}
