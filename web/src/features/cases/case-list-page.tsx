/** The students' list: find cases, check them, take their DICOMs along. */
import { Button, Group, Select } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { IconSearch, IconStack2 } from "@tabler/icons-react";
import { Navigate, useSearchParams } from "react-router";

import { PageHead } from "@/components/page-head";
import { Pager } from "@/components/pager";
import { SearchField } from "@/components/search-field";
import { Shortcuts, type Shortcut } from "@/components/shortcuts";
import { Empty, Failed, LoadingRows } from "@/components/states";
import { caseListQuery } from "@/lib/case-list";
import { useExamTypes } from "@/lib/exam-types";
import { plural } from "@/lib/format";
import { pageWithin } from "@/lib/paging";

import { ActionBar } from "./action-bar";
import { CaseTable } from "./case-table";
import { readPlace, writePlace } from "./list-address";

const PAGE_SIZE = 25;

const KEYS: Shortcut[] = [
  [["/"], "Jump to the search"],
  [["Esc"], "Empty the search, close a dialog"],
  [["↓", "↑"], "Next and previous case (j and k work too)"],
  [["Space"], "Check the case"],
  [["Enter"], "Open the case"],
];

export function CaseListPage() {
  const [params, setParams] = useSearchParams();
  const place = readPlace(params);
  const filter = { q: place.q, examType: place.examType, published: true };
  const list = useQuery(caseListQuery(filter, PAGE_SIZE, (place.page - 1) * PAGE_SIZE));
  const examTypes = useExamTypes();
  const shorter =
    list.isSuccess && !list.isPlaceholderData ? pageWithin(place.page, PAGE_SIZE, list.data.total, list.data.items.length) : null;
  const filtered = place.q !== "" || place.examType !== "";

  function go(change: Parameters<typeof writePlace>[1]) {
    setParams(writePlace(place, change), { replace: change.page === undefined });
  }

  if (shorter !== null) return <Navigate to={{ search: writePlace(place, { page: shorter }).toString() }} replace />;
  return (
    <>
      <PageHead
        title="Cases"
        lead={list.data === undefined ? "Teaching cases with their images." : leadOf(list.data.total, filtered)}
        actions={
          <>
            <SearchField label="Search number, title or text" value={place.q} onSearch={(q) => go({ q })} />
            <Select
              aria-label="Exam type"
              placeholder="All exam types"
              data={examTypes.data?.items.map(({ name }) => name) ?? []}
              value={place.examType === "" ? null : place.examType}
              onChange={(examType) => go({ examType: examType ?? "" })}
              clearable
              clearButtonProps={{ "aria-label": "All exam types" }}
              w={{ base: "100%", sm: 170 }}
            />
            <Shortcuts keys={KEYS} />
          </>
        }
      />
      {list.isPending && <LoadingRows />}
      {list.isError && <Failed error={list.error} retry={() => void list.refetch()} />}
      {list.isSuccess && list.data.items.length === 0 && <NoCases filtered={filtered} onClear={() => go({ q: "", examType: "" })} />}
      {list.isSuccess && list.data.items.length > 0 && (
        <>
          <CaseTable cases={list.data.items} stale={list.isPlaceholderData} />
          <Pager page={place.page} pageSize={PAGE_SIZE} total={list.data.total} onPage={(page) => go({ page })} />
        </>
      )}
      <ActionBar filter={filter} matching={list.data?.total ?? 0} />
    </>
  );
}

function leadOf(total: number, filtered: boolean): string {
  return filtered ? `${plural(total, "case")} found.` : `${plural(total, "teaching case")}. Check some to download their images together.`;
}

function NoCases({ filtered, onClear }: { filtered: boolean; onClear: () => void }) {
  if (!filtered) {
    return (
      <Empty title="No cases yet" icon={<IconStack2 size={34} stroke={1.3} />}>
        As soon as a case is published, it stands here. Nothing to do for you until then.
      </Empty>
    );
  }
  return (
    <Empty
      title="No case fits"
      icon={<IconSearch size={34} stroke={1.3} />}
      action={
        <Group>
          <Button variant="default" onClick={onClear}>
            Show all cases
          </Button>
        </Group>
      }
    >
      Try fewer words, or look in all exam types.
    </Empty>
  );
}
