/** An archive of JPEG 2000 pictures: where its Firebird database is, and what its columns mean. */
import { ActionIcon, Button, Fieldset, Group, NumberInput, SegmentedControl, Select, SimpleGrid, Stack, Switch, Text, Textarea, TextInput } from "@mantine/core";
import { IconPlus, IconX } from "@tabler/icons-react";

import { SecretField } from "@/components/secret-field";

import { MACHINE, type Form } from "./source-fields";
import { KEYWORDS } from "./source-form";

export function FirebirdFields({ form }: { form: Form }) {
  const { firebird } = form.values;
  return (
    <Stack>
      <Switch
        label="Pictures with a Firebird database"
        description="JPEG 2000 pictures whose patients stand in a database: columns are mapped to DICOM attributes."
        {...form.getInputProps("firebird.isUsed", { type: "checkbox" })}
      />
      {firebird.isUsed && (
        <Fieldset legend="Firebird database">
          <Stack>
            <SimpleGrid cols={{ base: 1, xs: 2 }}>
              <TextInput label="Database" placeholder="Path at its server, or alias" {...MACHINE} {...form.getInputProps("firebird.database")} />
              <TextInput label="Character set" {...MACHINE} {...form.getInputProps("firebird.charset")} />
              <TextInput label="Host of the database" {...MACHINE} {...form.getInputProps("firebird.host")} />
              <NumberInput label="Port of the database" min={1} max={65535} allowDecimal={false} allowNegative={false} {...form.getInputProps("firebird.port")} />
              <TextInput label="User of the database" {...MACHINE} {...form.getInputProps("firebird.username")} />
              <SecretField label="Password of the database" {...form.getInputProps("firebird.password")} value={firebird.password} />
              <TextInput label="Role" placeholder="None" {...MACHINE} {...form.getInputProps("firebird.role")} />
            </SimpleGrid>
            <SegmentedControl
              aria-label="What is asked"
              data={[
                { value: "table", label: "One table" },
                { value: "query", label: "A query" },
              ]}
              {...form.getInputProps("firebird.by")}
            />
            {firebird.by === "table" ? (
              <TextInput label="Table" placeholder="PICTURES" {...MACHINE} {...form.getInputProps("firebird.table")} />
            ) : (
              <Textarea label="Query" description="One SELECT; the columns below are those that it names." autosize minRows={3} {...MACHINE} {...form.getInputProps("firebird.query")} />
            )}
            <SimpleGrid cols={{ base: 1, xs: 2 }} style={{ alignItems: "start" }}>
              <TextInput label="Column of the picture's path" placeholder="FILE_PATH" {...MACHINE} {...form.getInputProps("firebird.pathColumn")} />
              <TextInput label="What stands before it" placeholder="D:\archive\" {...MACHINE} {...form.getInputProps("firebird.pathPrefix")} />
            </SimpleGrid>
            <Pairs form={form} list="columns" title="Columns" what="Column" add="Add a column" />
            <Pairs form={form} list="defaults" title="Values that no column has" what="Value" add="Add a value" />
          </Stack>
        </Fieldset>
      )}
    </Stack>
  );
}

interface PairsProps {
  form: Form;
  list: "columns" | "defaults";
  title: string;
  what: string;
  add: string;
}

function Pairs({ form, list, title, what, add }: PairsProps) {
  const rows = form.values.firebird[list];
  const used = rows.map(({ name }) => name);
  return (
    <div role="group" aria-label={title}>
      <Text size="sm" fw={500} mb={6}>
        {title}
      </Text>
      <Stack gap="xs">
        {rows.map(({ name }, place) => (
          <Group key={place} gap="xs" wrap="nowrap" align="flex-start">
            <Select
              aria-label={`DICOM attribute, ${title.toLowerCase()}, ${place + 1}`}
              placeholder="DICOM attribute"
              data={KEYWORDS.filter((keyword) => keyword === name || !used.includes(keyword))}
              searchable
              flex={1}
              {...form.getInputProps(`firebird.${list}.${place}.name`)}
            />
            <TextInput aria-label={`${what} ${place + 1}`} placeholder={what} flex={1} {...MACHINE} {...form.getInputProps(`firebird.${list}.${place}.value`)} />
            <ActionIcon variant="subtle" color="gray" size="lg" onClick={() => form.removeListItem(`firebird.${list}`, place)} aria-label={`Take out ${what.toLowerCase()} ${place + 1}`}>
              <IconX size={16} />
            </ActionIcon>
          </Group>
        ))}
        <Group>
          <Button variant="default" size="xs" leftSection={<IconPlus size={14} aria-hidden />} onClick={() => form.insertListItem(`firebird.${list}`, { name: "", value: "" })}>
            {add}
          </Button>
        </Group>
      </Stack>
    </div>
  );
}
