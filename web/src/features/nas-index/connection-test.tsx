/** Tries whether a source answers, and says what is wrong and what to do when it does not. */
import { Button } from "@mantine/core";
import { IconPlugConnected } from "@tabler/icons-react";

import { useTestSource } from "./sources-api";
import { TestedAnswer, TestRefused } from "./tested";

export function ConnectionTest({ name }: { name: string }) {
  const test = useTestSource();
  return (
    <div>
      <Button
        size="xs"
        variant="default"
        leftSection={<IconPlugConnected size={15} aria-hidden />}
        loading={test.isPending}
        onClick={() => test.mutate({ source: name })}
        aria-label={`Test the connection to ${name}`}
      >
        Test
      </Button>
      <div role="status">
        {test.isSuccess && <TestedAnswer tested={test.data} />}
        {test.isError && <TestRefused error={test.error} />}
      </div>
    </div>
  );
}
