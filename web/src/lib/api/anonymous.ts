/** The client of pages for people without an account: it sends no token, whoever is signed in in this browser. */
import { ApiClient } from "@/lib/api/client";

const nobody = { token: () => Promise.resolve(null), tokenAfterRefusal: () => Promise.resolve(null), end: () => undefined };

export const anonymous = new ApiClient(nobody, (path, init) => fetch(path, init));
