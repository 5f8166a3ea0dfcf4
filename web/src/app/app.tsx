/** The providers around every page. */
import { MantineProvider } from "@mantine/core";
import { Notifications } from "@mantine/notifications";
import { QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "react-router";

import { router } from "@/app/router";
import { cssVariables, theme } from "@/app/theme";
import { queryClient } from "@/lib/query-client";
import { session } from "@/lib/session/browser";

// What one person has read must not be there for the next one at the same desk.
session.subscribe(() => {
  if (session.getState().status === "signedOut") queryClient.clear();
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
