/** Around the viewer: dark whatever the reader's scheme is, menus and dialogs with it. */
import { MantineProvider, mergeThemeOverrides, Portal } from "@mantine/core";
import type { ReactNode } from "react";

import { cssVariables, theme } from "@/app/theme";

const ROOM = "dark-room";

const darkTheme = mergeThemeOverrides(theme, {
  components: { Portal: Portal.extend({ defaultProps: { target: `#${ROOM}` } }) },
});

export function DarkRoom({ children }: { children: ReactNode }) {
  return (
    <MantineProvider
      theme={darkTheme}
      cssVariablesResolver={cssVariables}
      forceColorScheme="dark"
      cssVariablesSelector={`#${ROOM}`}
      deduplicateCssVariables={false}
      withGlobalClasses={false}
      getRootElement={() => document.getElementById(ROOM) ?? undefined}
    >
      <div id={ROOM} data-mantine-color-scheme="dark" style={{ color: "var(--mantine-color-text)", colorScheme: "dark" }}>
        {children}
      </div>
    </MantineProvider>
  );
}
