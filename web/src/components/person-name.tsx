/** A patient's name; each script keeps to itself, so that a Hebrew or Arabic spelling does not turn the others around. */
import { Fragment } from "react";

import { spellings } from "@/lib/dicom";

export function PersonName({ value }: { value: string }) {
  const groups = spellings(value);
  if (groups.length === 0) return <>No name</>;
  return groups.map((spelling, place) => (
    <Fragment key={place}>
      {place > 0 && " · "}
      <bdi>{spelling}</bdi>
    </Fragment>
  ));
}
