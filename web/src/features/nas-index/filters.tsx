/** What a search can be narrowed to; folded away on a phone. */
import { Button, Collapse, Group, Select, TextInput } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { IconAdjustmentsHorizontal } from "@tabler/icons-react";

import { ORTHANC, profileQuery } from "./nas-api";
import { filtersSet, NO_FILTER, type SearchPlace } from "./search-address";
import { sourcesQuery } from "./sources-api";

/** The modalities of a radiology department (PS3.3 section C.7.3.1.1.1), most frequent first. */
const MODALITIES = ["CT", "MR", "CR", "DX", "US", "XA", "RF", "MG", "PT", "NM", "IO", "PX", "OT", "SC", "SR", "RTIMAGE", "RTDOSE", "RTSTRUCT", "RTPLAN"];

/** Hospitals are many: the list shows so many at a time, typing narrows it. */
const SHOWN_AT_ONCE = 100;

const WIDTH = { base: "100%", xs: 156 };

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
  const choices: Choice[] = [
    { name: "modality", label: "Modality", all: "All modalities", data: MODALITIES },
    { name: "medical_aid", label: "Medical aid", all: "All medical aids", data: profile.data?.medical_aids },
    { name: "hospital", label: "Hospital", all: "All hospitals", data: profile.data?.hospitals },
    { name: "hospital_group", label: "Hospital group", all: "All hospital groups", data: profile.data?.hospital_groups },
    { name: "source", label: "Source", all: "All sources", data: sources.data && [...sources.data.items.map(({ name }) => name), ORTHANC] },
  ];
  const [modality, ...others] = choices.map((choice) => <Chosen key={choice.name} {...choice} value={place[choice.name]} onChange={onChange} />);
  const day = (name: "from" | "to", label: string) => (
    <TextInput
      type="date"
      label={label}
      value={place[name]}
      max="9999-12-31"
      onChange={(event) => onChange({ [name]: event.currentTarget.value })}
      w={WIDTH}
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
          {modality}
          {day("from", "Study from")}
          {day("to", "Study to")}
          {others}
          {set > 0 && (
            <Button variant="subtle" onClick={() => onChange(NO_FILTER)}>
              Clear filters
            </Button>
          )}
        </Group>
      </Collapse>
    </>
  );
}

interface Choice {
  name: "modality" | "medical_aid" | "hospital" | "hospital_group" | "source";
  label: string;
  all: string;
  data: string[] | undefined;
}

/** One list to choose from; left out where the site's profile has nothing for it. A value that came by a link stands there in any case. */
function Chosen({ name, label, all, data = [], value, onChange }: Choice & { value: string; onChange: FiltersProps["onChange"] }) {
  if (data.length === 0 && value === "") return null;
  return (
    <Select
      label={label}
      placeholder={all}
      data={value === "" || data.includes(value) ? data : [value, ...data]}
      value={value === "" ? null : value}
      onChange={(chosen) => onChange({ [name]: chosen ?? "" })}
      limit={SHOWN_AT_ONCE}
      nothingFoundMessage="None of that name"
      searchable
      clearable
      clearButtonProps={{ "aria-label": all }}
      w={WIDTH}
    />
  );
}
