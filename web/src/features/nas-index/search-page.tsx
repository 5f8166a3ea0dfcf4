/** Find any series, on the NAS or in Orthanc: by words as they are typed, and by filters. */
import { Button, Group } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { IconDatabaseSearch, IconSearch, IconServerCog } from "@tabler/icons-react";
import { useEffect, useRef } from "react";
import { Link, useSearchParams } from "react-router";

import { PageHead } from "@/components/page-head";
import { Pager } from "@/components/pager";
import { SearchField } from "@/components/search-field";
import { Shortcuts, type Shortcut } from "@/components/shortcuts";
import { Empty, Failed, LoadingRows } from "@/components/states";
import { useCan } from "@/lib/session/use-session";

import { totalWords } from "./dicom-words";
import { Filters } from "./filters";
import { PAGE_SIZE, searchQuery, useCatalogueChanged, type SearchAnswer } from "./nas-api";
import { isNarrowed, lastPage, readPlace, writePlace, type SearchPlace } from "./search-address";
import { SeriesTable } from "./series-table";
import { sourcesQuery } from "./sources-api";

const KEYS: Shortcut[] = [
  [["/"], "Jump to the search"],
  [["Esc"], "Empty the search, close a dialog"],
  [["↓", "↑"], "From the search into the series, and through them (j and k work too)"],
  [["Enter"], "Open the series"],
];

export function NasSearchPage() {
  const [params, setParams] = useSearchParams();
  const place = readPlace(params, PAGE_SIZE);
  const found = useQuery(searchQuery(place));
  const mayRun = useCan("index.run");
  useFreshWhileRunning();

  // A new word replaces the entry of the last one: Back leads out of the search, not letter by letter through it.
  function go(change: Partial<SearchPlace>) {
    // From the address as it is now: what was chosen a moment ago may not have been drawn yet.
    const now = readPlace(new URLSearchParams(window.location.search), PAGE_SIZE);
    setParams(writePlace(now, change), { replace: change.q !== undefined });
  }

  return (
    <>
      <PageHead
        title="NAS index"
        lead={
          found.data === undefined || found.data.total === 0
            ? "Find any series on the NAS or in Orthanc, by patient, number or description."
            : `${totalWords(found.data.total, found.data.total_is_exact)}${isNarrowed(place) ? " found" : " known"}, newest study first.`
        }
        actions={
          <>
            {mayRun && (
              <Button component={Link} to="/nas/sources" variant="default" leftSection={<IconServerCog size={16} aria-hidden />}>
                Sources and runs
              </Button>
            )}
            <Shortcuts keys={KEYS} />
          </>
        }
      />
      <Group gap="sm" mb="md">
        <SearchField label="Search name, id or description" value={place.q} onSearch={(q) => go({ q })} />
        <Filters place={place} onChange={go} />
      </Group>
      {found.isPending && <LoadingRows />}
      {found.isError && <Failed error={found.error} retry={() => void found.refetch()} />}
      {found.isSuccess && found.data.results.length === 0 && (
        <NothingFound place={place} mayRun={mayRun} onFirst={() => go({ page: 1 })} onClear={() => setParams(new URLSearchParams())} />
      )}
      {found.isSuccess && found.data.results.length > 0 && (
        <>
          <SeriesTable series={found.data.results} stale={found.isPlaceholderData} search={params.toString()} />
          <Pager
            page={place.page}
            pageSize={PAGE_SIZE}
            {...counted(found.data, place.page)}
            lastPage={lastPage(PAGE_SIZE)}
            onPage={(page) => go({ page })}
          />
        </>
      )}
    </>
  );
}

/** The last page ends the count that the server did not make. */
function counted({ results, total, total_is_exact: isExact }: SearchAnswer, page: number) {
  if (isExact || results.length === PAGE_SIZE) return { total, isExact };
  return { total: (page - 1) * PAGE_SIZE + results.length, isExact: true };
}

/** While a run fills the catalogue, each look at it brings fresh rows. */
function useFreshWhileRunning() {
  const sources = useQuery(sourcesQuery);
  const changed = useCatalogueChanged();
  const seen = sources.data?.items.map(({ last_run }) => `${last_run?.run_id} ${last_run?.series_count} ${last_run?.state}`).join();
  const last = useRef(seen);
  useEffect(() => {
    if (last.current !== undefined && last.current !== seen) changed();
    last.current = seen;
    // Once per new figure, not on every new function.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [seen]);
}

function NothingFound({ place, mayRun, onFirst, onClear }: { place: SearchPlace; mayRun: boolean; onFirst: () => void; onClear: () => void }) {
  if (place.page > 1) {
    return (
      <Empty
        title="No more series"
        icon={<IconSearch size={34} stroke={1.3} />}
        action={
          <Button variant="default" onClick={onFirst}>
            To the first page
          </Button>
        }
      >
        The list ends before this page.
      </Empty>
    );
  }
  if (isNarrowed(place)) {
    return (
      <Empty
        title="No series fits"
        icon={<IconSearch size={34} stroke={1.3} />}
        action={
          <Button variant="default" onClick={onClear}>
            Show all series
          </Button>
        }
      >
        Try part of the name, in any order, or fewer filters.
      </Empty>
    );
  }
  return (
    <Empty
      title="Nothing indexed yet"
      icon={<IconDatabaseSearch size={34} stroke={1.3} />}
      action={
        mayRun && (
          <Button component={Link} to="/nas/sources">
            Index a source
          </Button>
        )
      }
    >
      {mayRun ? "Start a run: series can be found as soon as their first file is read." : "As soon as a source is indexed, its series stand here."}
    </Empty>
  );
}
