/** What a search can be narrowed to; folded away on a phone. */
import { Button, Collapse, Group, Select, TextInput } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { IconAdjustmentsHorizontal } from "@tabler/icons-react";

import { profileQuery, sourcesQuery } from "./nas-api";
import { filtersSet, type SearchPlace } from "./search-address";

/** The modalities of a radiology department (PS3.3 section C.7.3.1.1.1), most frequent first. */
const MODALITIES = ["CT", "MR", "CR", "DX", "US", "XA", "RF", "MG", "PT", "NM", "IO", "PX", "OT", "SC", "SR", "RTIMAGE", "RTDOSE", "RTSTRUCT", "RTPLAN"];

/** On a phone the results come first, also when a link brings filters along. */
const isWide = () => window.matchMedia("(min-width: 48em)").matches;

interface FiltersProps {
  place: SearchPlace;
  onChange: (change: Partial<SearchPlace>) => void;
}

export function Filters({ place, onChange }: FiltersProps) {
  const [opened, { toggle }] = useDisclosure(filtersSet(place) > 0 && isWide());
  const profile = useQuery(profileQuery);
  const sources = useQuery(sourcesQuery);
  const set = filtersSet(place);
  const select = (name: "modality" | "medical_aid" | "hospital_group" | "source", label: string, all: string, data: string[]) => (
    <Select
      key={name}
      label={label}
      placeholder={all}
      data={place[name] === "" || data.includes(place[name]) ? data : [place[name], ...data]}
      value={place[name] === "" ? null : place[name]}
      onChange={(value) => onChange({ [name]: value ?? "" })}
      searchable
      clearable
      clearButtonProps={{ "aria-label": all }}
      w={{ base: "100%", xs: 165 }}
    />
  );
  const day = (name: "from" | "to", label: string) => (
    <TextInput
      key={name}
      type="date"
      label={label}
      value={place[name]}
      max="9999-12-31"
      onChange={(event) => onChange({ [name]: event.currentTarget.value })}
      w={{ base: "100%", xs: 165 }}
    />
  );
  return (
    <>
      <Button
        variant="default"
        leftSection={<IconAdjustmentsHorizontal size={16} aria-hidden />}
        onClick={toggle}
        aria-expanded={opened}
        aria-controls="nas-filters"
      >
        {set === 0 ? "Filters" : `Filters (${set})`}
      </Button>
      <Collapse expanded={opened} id="nas-filters" w="100%">
        <Group gap="sm" align="flex-end" role="group" aria-label="Filters">
          {select("modality", "Modality", "All modalities", MODALITIES)}
          {day("from", "Study from")}
          {day("to", "Study to")}
          {(profile.data?.medical_aids.length ?? 0) > 0 && select("medical_aid", "Medical aid", "All medical aids", profile.data?.medical_aids ?? [])}
          {(profile.data?.hospital_groups.length ?? 0) > 0 && select("hospital_group", "Hospital group", "All hospital groups", profile.data?.hospital_groups ?? [])}
          {select("source", "Source", "All sources", sources.data?.items.map(({ name }) => name) ?? [])}
          {set > 0 && (
            <Button variant="subtle" onClick={() => onChange({ modality: "", from: "", to: "", medical_aid: "", hospital_group: "", source: "" })}>
              Clear filters
            </Button>
          )}
        </Group>
      </Collapse>
    </>
  );
}
