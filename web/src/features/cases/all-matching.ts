/** All cases that fit a filter, page after page: what "Select all" means when a list has more than one page. */
import type { Case, Page } from "@/lib/api/types";

export async function allMatching(readPage: (limit: number, offset: number) => Promise<Page<Case>>): Promise<Case[]> {
  const size = 100;
  const found: Case[] = [];
  for (;;) {
    const page = await readPage(size, found.length);
    found.push(...page.items);
    if (page.items.length === 0 || found.length >= page.total) return found;
  }
}
