/** Paging under a list: which rows are shown, of how many, and the way to the others. */
import { Group, Pagination, Text } from "@mantine/core";

import { pageCount, pageWords } from "@/lib/paging";

interface PagerProps {
  page: number;
  pageSize: number;
  total: number;
  onPage: (page: number) => void;
  /** False where the server stopped counting at `total`: there are more. */
  isExact?: boolean;
  /** The last page that the server gives, where it pages only so far. */
  lastPage?: number;
}

export function Pager({ page, pageSize, total, onPage, isExact = true, lastPage = Infinity }: PagerProps) {
  if (total === 0) return null;
  const pages = Math.min(pageCount(page, pageSize, total, isExact), lastPage);
  return (
    <Group justify="space-between" mt="md" gap="sm">
      <Text size="sm" c="dimmed" aria-live="polite">
        {pageWords(page, pageSize, total, isExact)}
      </Text>
      {pages > 1 && (
        <Pagination
          total={pages}
          value={page}
          onChange={onPage}
          size="sm"
          siblings={1}
          getItemProps={(number) => ({ "aria-label": `Page ${number}` })}
          getControlProps={(control) => ({ "aria-label": `${control} page` })}
        />
      )}
    </Group>
  );
}
