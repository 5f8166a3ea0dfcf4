/** The client that the pages use. */
import { ApiClient } from "@/lib/api/client";
import { session } from "@/lib/session/browser";

export const api = new ApiClient(session, (path, init) => fetch(path, init));
