/** The admins' list of cases: what is there, what is missing, what students see. */
import { Button, Group, SegmentedControl, Select } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { IconPlus, IconStack2 } from "@tabler/icons-react";
import { useState } from "react";
import { useSearchParams } from "react-router";

import { PageHead } from "@/components/page-head";
import { Pager } from "@/components/pager";
import { SearchField } from "@/components/search-field";
import { Empty, Failed, LoadingRows } from "@/components/states";
import type { Case } from "@/lib/api/types";
import { caseListQuery, type CaseFilter } from "@/lib/case-list";
import { useExamTypes } from "@/lib/exam-types";
import { pageWithin } from "@/lib/paging";

import { AddStudyDialog } from "./add-study-dialog";
import { AdminCaseTable } from "./admin-case-table";
import { CaseDialog } from "./case-dialog";
import { WithdrawDialog } from "./withdraw-dialog";

const PAGE_SIZE = 25;
const ALL: CaseFilter = { q: "", examType: "", published: null };
const SHOWN = { all: null, published: true, draft: false } as const;

export function CaseAdminPage() {
  const [filter, setFilter] = useState(ALL);
  const [page, setPage] = useState(1);
  const [edited, setEdited] = useState<Case | "new" | null>(null);
  const [withdrawn, setWithdrawn] = useState<Case | null>(null);
  const [params, setParams] = useSearchParams();
  const study = params.get("study");
  const list = useQuery(caseListQuery(filter, PAGE_SIZE, (page - 1) * PAGE_SIZE));
  const examTypes = useExamTypes();
  const shorter = list.isSuccess && !list.isPlaceholderData ? pageWithin(page, PAGE_SIZE, list.data.total, list.data.items.length) : null;
  if (shorter !== null) setPage(shorter);

  function narrow(change: Partial<CaseFilter>) {
    setFilter((current) => ({ ...current, ...change }));
    setPage(1);
  }

  const create = (
    <Button leftSection={<IconPlus size={17} />} onClick={() => setEdited("new")}>
      New case
    </Button>
  );
  const filtered = filter.q !== "" || filter.examType !== "" || filter.published !== null;

  return (
    <>
      <PageHead title="Manage cases" lead="Number, describe and publish teaching cases." actions={create} />
      <Group gap="xs" mb="md">
        <SearchField label="Search number, title or text" value={filter.q} onSearch={(q) => narrow({ q })} />
        <Select
          aria-label="Exam type"
          placeholder="All exam types"
          data={examTypes.data?.items.map(({ name }) => name) ?? []}
          value={filter.examType === "" ? null : filter.examType}
          onChange={(examType) => narrow({ examType: examType ?? "" })}
          clearable
          clearButtonProps={{ "aria-label": "All exam types" }}
          w={{ base: "100%", sm: 170 }}
        />
        <SegmentedControl
          aria-label="Which cases"
          value={filter.published === null ? "all" : filter.published ? "published" : "draft"}
          onChange={(value) => narrow({ published: SHOWN[value] })}
          data={[
            { value: "all", label: "All" },
            { value: "published", label: "Published" },
            { value: "draft", label: "Not published" },
          ]}
        />
      </Group>
      {list.isPending && <LoadingRows />}
      {list.isError && <Failed error={list.error} retry={() => void list.refetch()} />}
      {list.isSuccess && list.data.items.length === 0 && (
        <Empty
          title={filtered ? "No case fits" : "No cases yet"}
          icon={<IconStack2 size={34} stroke={1.3} />}
          action={
            filtered ? (
              <Button variant="default" onClick={() => narrow(ALL)}>
                Show all cases
              </Button>
            ) : (
              create
            )
          }
        >
          {filtered ? "Try fewer words, or show all." : "Create one here, or start an import: it makes the cases that it finds."}
        </Empty>
      )}
      {list.isSuccess && list.data.items.length > 0 && (
        <>
          <AdminCaseTable cases={list.data.items} stale={list.isPlaceholderData} onEdit={setEdited} onWithdraw={setWithdrawn} />
          <Pager page={page} pageSize={PAGE_SIZE} total={list.data.total} onPage={setPage} />
        </>
      )}
      {edited !== null && <CaseDialog item={edited === "new" ? null : edited} onClose={() => setEdited(null)} />}
      {study !== null && <AddStudyDialog studyUid={study} onClose={() => setParams({}, { replace: true })} />}
      <WithdrawDialog item={withdrawn} onClose={() => setWithdrawn(null)} />
    </>
  );
}
