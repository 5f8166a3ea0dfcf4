/** How fast and how patiently a source is read; empty fields are left to the server, which measures. */
import { NumberInput, Select, SimpleGrid, Stack } from "@mantine/core";

import { FirebirdFields } from "./firebird-fields";
import type { Form } from "./source-fields";
import type { SourceForm } from "./source-form";

export function AdvancedFields({ form }: { form: Form }) {
  const { type } = form.values;
  const isNetwork = type === "smb" || type === "sftp";
  const figure = (name: keyof SourceForm, label: string, max: number, placeholder?: string) => (
    <NumberInput
      label={label}
      placeholder={placeholder}
      min={0}
      max={max}
      clampBehavior="none"
      allowNegative={false}
      allowDecimal={name === "timeout" || name === "retry_delay"}
      {...form.getInputProps(name)}
    />
  );
  return (
    <Stack>
      <SimpleGrid cols={{ base: 1, xs: 2, sm: 3 }} style={{ alignItems: "end" }}>
        <Select
          label="Pace"
          data={[
            { value: "gentle", label: "Gentle: others need the NAS" },
            { value: "balanced", label: "Balanced" },
            { value: "fast", label: "Fast" },
          ]}
          allowDeselect={false}
          {...form.getInputProps("performance_mode")}
        />
        {type !== "list" && (
          <Select
            label="Way of listing"
            data={[
              { value: "auto", label: "By measurement" },
              { value: "sequential", label: "Folder by folder" },
              { value: "parallel", label: "Many folders at once" },
              { value: "list", label: "By a ready list" },
            ]}
            allowDeselect={false}
            {...form.getInputProps("enumeration_method")}
          />
        )}
        {type === "sftp" && (
          <Select
            label="Commands on the server"
            data={[
              { value: "auto", label: "Where they are faster" },
              { value: "off", label: "None: SFTP alone" },
            ]}
            allowDeselect={false}
            {...form.getInputProps("remote_commands")}
          />
        )}
        {figure("max_workers", "Files at a time", 128, "By measurement")}
        {figure("chunk_size", "Files handed out at once", 5000, "As many as fit")}
        {isNetwork && figure("connection_pool_size", "Connections", 64, "As many as fit")}
        {figure("timeout", "Time-out, seconds", 600)}
        {figure("retry_attempts", "Retries", 20)}
        {figure("retry_delay", "Pause before a retry, seconds", 300)}
      </SimpleGrid>
      {type !== "list" && <FirebirdFields form={form} />}
    </Stack>
  );
}
