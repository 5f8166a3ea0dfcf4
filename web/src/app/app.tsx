/** The providers around every page. */
import { MantineProvider } from "@mantine/core";
import { Notifications } from "@mantine/notifications";
import { QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "react-router";

import { router } from "@/app/router";
import { cssVariables, theme } from "@/app/theme";
import { forgetFrames } from "@/lib/frames/forget";
import { queryClient } from "@/lib/query-client";
import { session } from "@/lib/session/browser";

// What one person has read must not be there for the next one at the same desk.
session.subscribe(() => {
  const state = session.getState();
  if (state.status !== "signedOut") return;
  queryClient.clear();
  // Whoever never signed in may hold a link: its images are not ours to forget here.
  if (state.reason !== "never") void forgetFrames();
});

export function App() {
  return (
    <MantineProvider theme={theme} cssVariablesResolver={cssVariables} defaultColorScheme="auto">
      <QueryClientProvider client={queryClient}>
        <Notifications position="top-right" limit={4} />
        <RouterProvider router={router} />
      </QueryClientProvider>
    </MantineProvider>
  );
}
