/** Over a form's buttons: what the server refused, and the number of that request. */
import { Alert } from "@mantine/core";
import { IconAlertCircle } from "@tabler/icons-react";
import type { ReactNode } from "react";

import { RequestId } from "@/components/states";

/** `children` says it in the form's own words, where the server's are not enough. */
export function FormError({ error, children }: { error: Error; children?: ReactNode }) {
  return (
    <Alert variant="light" color="red" icon={<IconAlertCircle size={18} />} role="alert">
      {children ?? error.message}
      <RequestId error={error} />
    </Alert>
  );
}
