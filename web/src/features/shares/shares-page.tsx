/** My links: which there are, who used them, and how to end them. Admins of links see everybody's. */
import { Button, Group, Select, Switch } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { IconChartBar, IconLink } from "@tabler/icons-react";
import { useState } from "react";
import { Link, useSearchParams } from "react-router";

import { Confirm } from "@/components/confirm";
import { notifyDone, notifyFailed } from "@/components/notify";
import { PageHead } from "@/components/page-head";
import { Pager } from "@/components/pager";
import { SearchField } from "@/components/search-field";
import { Shortcuts, type Shortcut } from "@/components/shortcuts";
import { Empty, Failed, LoadingRows } from "@/components/states";
import { personName } from "@/lib/dicom";
import { plural } from "@/lib/format";
import { useCan } from "@/lib/session/use-session";

import { AccessLog } from "./access-log";
import { CopyAgain } from "./copy-again";
import { ExtendDialog } from "./extend-dialog";
import { isNarrowed, readPlace, STATES, writePlace, type SharesPlace } from "./share-address";
import { PAGE_SIZE, sharesQuery, useRevokeShare, type Share } from "./share-api";
import { STATE_WORDS } from "./share-words";
import { SharesTable, type RowAct } from "./shares-table";

const KEYS: Shortcut[] = [
  [["/"], "Jump to the search"],
  [["Esc"], "Empty the search, close a dialog"],
  [["↓", "↑"], "From the search into the links, and through them (j and k work too)"],
  [["Enter"], "Open the log of a link"],
];

export function SharesPage() {
  const [params, setParams] = useSearchParams();
  const place = readPlace(params);
  const isAdmin = useCan("share.admin");
  const found = useQuery(sharesQuery({ ...place, all: place.all && isAdmin }));
  const [act, setAct] = useState<{ act: RowAct; share: Share } | null>(null);
  const close = () => setAct(null);

  function go(change: Partial<SharesPlace>) {
    setParams(writePlace(place, change), { replace: change.q !== undefined });
  }

  return (
    <>
      <PageHead
        title={place.all && isAdmin ? "All links" : "My links"}
        lead={
          found.data === undefined || found.data.total === 0
            ? "Series that you shared by link."
            : `${plural(found.data.total, "link")}${isNarrowed(place) ? " found" : ""}, the newest first.`
        }
        actions={
          <>
            <Button component={Link} to="/shares/statistics" variant="default" leftSection={<IconChartBar size={16} aria-hidden />}>
              Statistics
            </Button>
            <Shortcuts keys={KEYS} />
          </>
        }
      />
      <Group gap="sm" mb="md">
        <SearchField label="Search patient, series or note" value={place.q} onSearch={(q) => go({ q })} />
        <Select
          aria-label="State"
          placeholder="Any state"
          data={STATES.map((state) => ({ value: state, label: STATE_WORDS[state].label }))}
          value={place.state === "" ? null : place.state}
          onChange={(state) => go({ state: STATES.find((known) => known === state) ?? "" })}
          clearable
          clearButtonProps={{ "aria-label": "Any state" }}
          w={{ base: "100%", sm: 170 }}
        />
        {isAdmin && <Switch label="Everybody’s links" checked={place.all} onChange={(event) => go({ all: event.currentTarget.checked })} />}
      </Group>
      {found.isPending && <LoadingRows />}
      {found.isError && <Failed error={found.error} retry={() => void found.refetch()} />}
      {found.isSuccess && found.data.items.length === 0 && (
        <NoLinks isNarrowed={isNarrowed(place) || place.page > 1} onClear={() => go({ q: "", state: "" })} />
      )}
      {found.isSuccess && found.data.items.length > 0 && (
        <>
          <SharesTable
            shares={found.data.items}
            stale={found.isPlaceholderData}
            withMaker={place.all && isAdmin}
            onAct={(wanted, share) => setAct({ act: wanted, share })}
          />
          <Pager page={place.page} pageSize={PAGE_SIZE} total={found.data.total} onPage={(page) => go({ page })} />
        </>
      )}
      {act?.act === "extend" && <ExtendDialog share={act.share} onClose={close} />}
      {act?.act === "copy" && <CopyAgain share={act.share} onClose={close} />}
      {act?.act === "log" && <AccessLog share={act.share} onClose={close} />}
      <Revoke share={act?.act === "revoke" ? act.share : null} onClose={close} />
    </>
  );
}

function Revoke({ share, onClose }: { share: Share | null; onClose: () => void }) {
  const revoke = useRevokeShare();
  // What is asked stays readable while the dialog goes.
  const [last, setLast] = useState(share);
  if (share !== null && share !== last) setLast(share);
  function confirm() {
    if (share === null) return;
    revoke.mutate(share.id, {
      onSuccess: () => {
        onClose();
        notifyDone("Link revoked", "It opens nothing any more.");
      },
      onError: (error) => notifyFailed("The link was not revoked", error),
    });
  }
  return (
    <Confirm opened={share !== null} title="Revoke this link?" action="Revoke link" pending={revoke.isPending} onConfirm={confirm} onClose={onClose}>
      Whoever holds the link to <bdi>{personName(last?.series.PatientName ?? "")}</bdi> gets nothing from now on, and downloads under way are cut off. This
      cannot be undone.
    </Confirm>
  );
}

function NoLinks({ isNarrowed, onClear }: { isNarrowed: boolean; onClear: () => void }) {
  if (isNarrowed) {
    return (
      <Empty
        title="No link fits"
        icon={<IconLink size={34} stroke={1.3} />}
        action={
          <Button variant="default" onClick={onClear}>
            Show all links
          </Button>
        }
      >
        Try part of the name, or another state.
      </Empty>
    );
  }
  return (
    <Empty
      title="No links yet"
      icon={<IconLink size={34} stroke={1.3} />}
      action={
        <Button component={Link} to="/nas">
          Search the NAS index
        </Button>
      }
    >
      Find a series and share it by link: no account is needed to download it.
    </Empty>
  );
}
