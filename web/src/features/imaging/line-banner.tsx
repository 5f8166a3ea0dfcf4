/** Over the pictures: that the line is away, what that means, and that nothing is lost. */
import { Alert, VisuallyHidden } from "@mantine/core";
import { IconCloudOff } from "@tabler/icons-react";

import { useLine } from "./connection";
import { useUploads } from "./uploads";

export function LineBanner() {
  const line = useLine();
  const isSending = useUploads().some(({ state }) => state === "waiting" || state === "sending" || state === "queued");
  return (
    <div role="status">
      {line === "up" ? (
        <VisuallyHidden />
      ) : (
        <Alert mb="md" color="yellow" variant="light" icon={<IconCloudOff size={20} aria-hidden />} title={line === "offline" ? "You are offline" : "The server does not answer"}>
          What is shown here may be old, and pictures that were not opened yet cannot be shown.{" "}
          {isSending
            ? "Nothing is lost: the uploads wait, and go on by themselves when the connection is back. Leave this page open."
            : "Files can be added already; they are sent when the connection is back."}
        </Alert>
      )}
    </div>
  );
}
