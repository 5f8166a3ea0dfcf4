/** Names, dates and times of DICOM headers, as people read them. */

/** `Doe^Jane^Mary^Dr` is `Doe, Jane Mary (Dr)`; the alphabetic group, then the others as they are (PS3.5 section 6.2.1). */
export function personName(value: string): string {
  const groups = spellings(value);
  return groups.length === 0 ? "No name" : groups.join(" · ");
}

/** A name in each script that the header has it in. */
export function spellings(value: string): string[] {
  return value.split("=").map(oneSpelling).filter((text) => text !== "");
}

function oneSpelling(group: string): string {
  const [family = "", given = "", middle = "", prefix = "", suffix = ""] = group.split("^").map((part) => part.trim());
  const first = [given, middle].filter(Boolean).join(" ");
  const titles = [prefix, suffix].filter(Boolean).join(", ");
  const name = [family, first].filter(Boolean).join(", ");
  return titles === "" ? name : name === "" ? titles : `${name} (${titles})`;
}

const day = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeZone: "UTC" });

/** A DICOM date, also in its old form with dots or in ISO's; what is no date is shown as it is. */
export function dicomDate(value: string): string {
  const text = value.trim();
  const parts = /^(\d{4})[.-]?(\d{2})[.-]?(\d{2})$/.exec(text);
  if (parts === null) return text === "" ? "–" : text;
  const [, year, month, dayOfMonth] = parts;
  const date = new Date(`${year}-${month}-${dayOfMonth}T00:00:00Z`);
  return Number.isNaN(date.getTime()) ? text : day.format(date);
}

/** A DICOM time to the minute: `143005.12` is `14:30`. */
export function dicomTime(value: string): string {
  const parts = /^(\d{2}):?(\d{2})/.exec(value.trim());
  return parts === null ? "" : `${parts[1]}:${parts[2]}`;
}
