/** Withdrawing a case: asked once more, because students lose it at once. */
import { Confirm } from "@/components/confirm";
import { notifyDone, notifyFailed } from "@/components/notify";
import type { Case } from "@/lib/api/types";
import { caseNumber } from "@/lib/format";

import { useWithdraw } from "./save-case";

export function WithdrawDialog({ item, onClose }: { item: Case | null; onClose: () => void }) {
  const withdraw = useWithdraw();
  const name = item === null ? "" : `case ${caseNumber(item.caseNumber)}`;
  return (
    <Confirm
      opened={item !== null}
      title={`Withdraw ${name}?`}
      action="Withdraw"
      pending={withdraw.isPending}
      onClose={onClose}
      onConfirm={() => {
        if (item === null) return;
        withdraw.mutate(item.id, {
          onSuccess: () => {
            notifyDone("Withdrawn", `${name} is gone from all lists.`);
            onClose();
          },
          onError: (error) => notifyFailed(`Could not withdraw ${name}`, error),
        });
      }}
    >
      It disappears from all lists at once. Its files stay where they are, and its number is not given out again.
    </Confirm>
  );
}
