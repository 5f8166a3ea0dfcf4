/** When a link ends: some usual spans, or one's own; and the day that this comes to. */
import { Chip, Group, Input, NumberInput, Select, Text } from "@mantine/core";
import type { ReactNode } from "react";

import { hoursOf, type FormValues } from "./share-form-values";
import { exactTime, PRESETS } from "./share-words";
import { useNow } from "./use-now";

type Expiry = Pick<FormValues, "expiry" | "ownAmount" | "ownUnit">;

interface ExpiryFieldProps {
  values: Expiry;
  error: ReactNode;
  onChange: (change: Partial<Expiry>) => void;
  label?: string;
}

export function ExpiryField({ values, error, onChange, label = "Works for" }: ExpiryFieldProps) {
  const now = useNow();
  const hours = hoursOf(values);
  const end = Number.isFinite(hours) && hours >= 1 && hours <= 100_000 ? exactTime(new Date(now + hours * 3_600_000).toISOString()) : null;
  return (
    <Input.Wrapper label={label} labelElement="div" role="group" aria-label={label}>
      <Chip.Group value={values.expiry} onChange={(expiry) => onChange({ expiry })}>
        <Group gap={8} mt={6}>
          {PRESETS.map(({ hours: span, label: name }) => (
            <Chip key={span} value={String(span)}>
              {name}
            </Chip>
          ))}
          <Chip value="own">Other</Chip>
        </Group>
      </Chip.Group>
      {values.expiry === "own" && (
        <Group gap="xs" mt="sm" align="flex-start">
          <NumberInput aria-label="How many" min={1} value={values.ownAmount} onChange={(ownAmount) => onChange({ ownAmount })} error={error} w={120} />
          <Select
            aria-label="Hours or days"
            data={[
              { value: "hours", label: "hours" },
              { value: "days", label: "days" },
            ]}
            value={values.ownUnit}
            onChange={(unit) => onChange({ ownUnit: unit === "hours" ? "hours" : "days" })}
            allowDeselect={false}
            w={120}
          />
        </Group>
      )}
      {end !== null && (
        <Text size="sm" c="dimmed" mt={8}>
          Ends {end}.
        </Text>
      )}
    </Input.Wrapper>
  );
}
