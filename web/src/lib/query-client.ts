/** How answers are kept: fresh for half a minute, tried again only when trying again may help. */
import { QueryClient } from "@tanstack/react-query";

import { mayPass } from "@/lib/api/errors";

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 30_000,
      retry: (failures, error) => failures < 2 && mayPass(error),
      retryDelay: (attempt) => Math.min(500 * 2 ** attempt, 4_000),
      // Our server is on the same network, often without internet: the browser's "offline" says nothing about it.
      networkMode: "always",
    },
    mutations: { networkMode: "always" },
  },
});
