/** The fields of a source: what it is called, where it is, who may read it. Which ones depends on its type. */
import { NumberInput, SegmentedControl, Select, SimpleGrid, Stack, Switch, Text, TextInput } from "@mantine/core";
import { useMediaQuery } from "@mantine/hooks";
import type { UseFormReturnType } from "@mantine/form";

import { SecretField } from "@/components/secret-field";

import type { SourceForm } from "./source-form";
import { SOURCE_TYPES, type SourceType } from "./sources-api";

export type Form = UseFormReturnType<SourceForm>;

const TYPES: Record<SourceType, { label: string; hint: string }> = {
  local: { label: "Folder", hint: "A folder of the server, or a NAS that is mounted there by NFS or SMB: the fastest way." },
  smb: { label: "SMB share", hint: "A Windows share or a NAS, reached without mounting it." },
  sftp: { label: "SFTP", hint: "A server that is reached by SSH." },
  list: { label: "List file", hint: "A text file with one path a line, made on the NAS itself." },
};

/** No spelling help, no capitals: these are names for machines. */
export const MACHINE = { spellCheck: false, autoCapitalize: "none", autoComplete: "off" } as const;

export function SourceFields({ form, isNew }: { form: Form; isNew: boolean }) {
  const isNarrow = useMediaQuery("(max-width: 30em)");
  const { type } = form.values;
  return (
    <Stack>
      <div>
        <SegmentedControl
          fullWidth
          orientation={isNarrow ? "vertical" : "horizontal"}
          aria-label="Type of source"
          data={SOURCE_TYPES.map((value) => ({ value, label: TYPES[value].label }))}
          {...form.getInputProps("type")}
        />
        <Text size="sm" c="dimmed" mt={6}>
          {TYPES[type].hint}
        </Text>
      </div>
      <SimpleGrid cols={{ base: 1, xs: 2 }}>
        <TextInput
          label="Name"
          description={isNew ? "Runs and series are listed under it." : "It stays: what was indexed is listed under it."}
          readOnly={!isNew}
          data-autofocus={isNew || undefined}
          maxLength={100}
          {...MACHINE}
          {...form.getInputProps("name")}
        />
        <Switch
          label="Switched on"
          description="Off: it is not indexed; what is known of it stays."
          mt={{ xs: 22 }}
          {...form.getInputProps("enabled", { type: "checkbox" })}
        />
      </SimpleGrid>
      {type === "local" && <PathField form={form} label="Folder" placeholder="/mnt/nas/images" hint="Below one of the folders that the server's NAS_ALLOWED_ROOTS names." />}
      {type === "list" && <PathField form={form} label="List file" placeholder="/mnt/nas/nas_dicom_files.txt" hint="From scripts/windows/ or find. Windows paths in it are mapped by NAS_PATH_MAP." />}
      {type === "smb" && <ShareFields form={form} />}
      {type === "sftp" && <SftpFields form={form} />}
    </Stack>
  );
}

function PathField({ form, label, placeholder, hint }: { form: Form; label: string; placeholder: string; hint: string }) {
  return <TextInput label={label} placeholder={placeholder} description={hint} {...MACHINE} {...form.getInputProps("path")} />;
}

function HostFields({ form, port }: { form: Form; port: number }) {
  return (
    <SimpleGrid cols={{ base: 1, xs: 2 }}>
      <TextInput label="Host" placeholder="nas.example.org" {...MACHINE} {...form.getInputProps("host")} />
      <NumberInput
        label="Port"
        placeholder={String(port)}
        min={1}
        max={65535}
        allowDecimal={false}
        allowNegative={false}
        {...form.getInputProps("port")}
      />
    </SimpleGrid>
  );
}

function ShareFields({ form }: { form: Form }) {
  return (
    <>
      <HostFields form={form} port={445} />
      <SimpleGrid cols={{ base: 1, xs: 2 }}>
        <TextInput label="Share" placeholder="images" {...MACHINE} {...form.getInputProps("share")} />
        <TextInput label="Folder of the share" placeholder="All of it" {...MACHINE} {...form.getInputProps("path")} />
        <TextInput label="User name" {...MACHINE} {...form.getInputProps("username")} />
        <SecretField label="Password" {...form.getInputProps("password")} value={form.values.password} />
        <TextInput label="Domain" placeholder="None" {...MACHINE} {...form.getInputProps("domain")} />
        <Select
          label="Encryption"
          data={[
            { value: "", label: "As the server's settings say" },
            { value: "if_offered", label: "Where the NAS offers it" },
            { value: "required", label: "Always; refuse without it" },
            { value: "off", label: "Never" },
          ]}
          allowDeselect={false}
          {...form.getInputProps("encryption")}
        />
      </SimpleGrid>
    </>
  );
}

function SftpFields({ form }: { form: Form }) {
  return (
    <>
      <HostFields form={form} port={22} />
      <TextInput label="Folder" placeholder="/data/images, or ~ for the account's own" {...MACHINE} {...form.getInputProps("path")} />
      <SimpleGrid cols={{ base: 1, xs: 2 }}>
        <TextInput label="User name" {...MACHINE} {...form.getInputProps("username")} />
        <SecretField label="Password" description="Or a key file of the server." {...form.getInputProps("password")} value={form.values.password} />
        <TextInput label="Private key file" placeholder="None" {...MACHINE} {...form.getInputProps("private_key_path")} />
        <TextInput label="Host key" placeholder="SHA256:…" {...MACHINE} {...form.getInputProps("host_fingerprint")} />
      </SimpleGrid>
      <Text size="sm" c="dimmed" mt={-8}>
        Without a host key, the server&rsquo;s known_hosts decides. A test tells the key that the host shows.
      </Text>
    </>
  );
}
