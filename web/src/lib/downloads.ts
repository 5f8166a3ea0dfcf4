/** Downloads: a ticket for the cases, then a link that the browser follows by itself, with its own progress and resume. */
import { api } from "@/lib/api";
import type { Ticket } from "@/lib/api/types";

/** The server takes 1 to 50 cases in one download (about 16 GB). */
export const MOST_CASES = 50;

export async function downloadCases(caseIds: string[]): Promise<Ticket> {
  const ticket = await api.post<Ticket>("/api/bestof/dicoms/tickets", { caseIds });
  follow(ticket.url, ticket.fileName);
  return ticket;
}

/** Asks for a file with the session's token and saves it; for small answers only, it passes through memory. */
export async function saveAnswer(path: string, fileName: string): Promise<void> {
  const response = await api.raw("GET", path);
  saveBlob(await response.blob(), fileName);
}

/** Saves a text that the page itself made. */
export function saveText(fileName: string, text: string, type: string): void {
  saveBlob(new Blob([text], { type: `${type};charset=utf-8` }), fileName);
}

function saveBlob(content: Blob, fileName: string): void {
  const address = URL.createObjectURL(content);
  follow(address, fileName);
  // The browser reads the address after the click; a minute is far more than it needs.
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}

function follow(url: string, fileName: string): void {
  const link = document.createElement("a");
  link.href = url;
  link.download = fileName;
  link.hidden = true;
  document.body.append(link);
  link.click();
  link.remove();
}
