/** Pictures belong to a clinic: who is in none sees why nothing is here. */
import { IconBuildingHospital } from "@tabler/icons-react";
import type { ReactNode } from "react";

import { PageHead } from "@/components/page-head";
import { Empty } from "@/components/states";
import { useMe } from "@/lib/session/use-session";

export function InClinic({ children }: { children: ReactNode }) {
  const clinic = useMe()?.clinic;
  if (clinic !== null && clinic !== undefined && clinic !== "") return children;
  return (
    <>
      <PageHead title="Pictures" />
      <Empty title="Your account belongs to no clinic" icon={<IconBuildingHospital size={34} stroke={1.3} />}>
        Each clinic sees its own patients’ pictures, and nobody else’s. An administrator can add your account to a clinic.
      </Empty>
    </>
  );
}
