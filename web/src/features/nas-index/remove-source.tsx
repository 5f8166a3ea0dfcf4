/** Takes a source out of the configuration, after a question. */
import { Text } from "@mantine/core";

import { Confirm } from "@/components/confirm";
import { notifyDone, notifyFailed } from "@/components/notify";
import { useFocusBack } from "@/components/use-focus-back";
import { plural } from "@/lib/format";

import { useConfigure, type Source } from "./sources-api";

export function RemoveSource({ source, onClose }: { source: Source; onClose: () => void }) {
  useFocusBack();
  const configure = useConfigure();
  const { name } = source;
  return (
    <Confirm
      opened
      title={`Remove ${name}?`}
      action="Remove the source"
      pending={configure.isPending}
      onClose={onClose}
      onConfirm={() =>
        configure.mutate((sources) => sources.filter((each) => each.name !== name), {
          onSuccess: () => {
            notifyDone("Removed", `${name} is no longer indexed.`);
            onClose();
          },
          onError: (error) => notifyFailed(`${name} was not removed`, error),
        })
      }
    >
      <Text>It is no longer indexed, and its address and password are forgotten. Nothing on the NAS changes.</Text>
      {source.series > 0 && (
        <Text mt="xs">
          Its {plural(source.series, "series", "series")} can still be found; to open or import them, the source has to be configured again under the same name.
        </Text>
      )}
    </Confirm>
  );
}
