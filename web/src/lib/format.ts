/** Numbers, sizes and times as people read them. */

/** The case number as on the shelf: four digits, more when it is larger. */
export function caseNumber(value: number): string {
  return String(value).padStart(4, "0");
}

/** Where the files of a case are expected: `bestof/MRI/0042/`. */
export function expectedPath(examType: string, value: number | null): string {
  return `bestof/${examType === "" ? "{exam type}" : examType}/${value === null ? "{number}" : caseNumber(value)}/`;
}

const UNITS = ["B", "kB", "MB", "GB", "TB"] as const;

/** Bytes in decimal units, as browsers and file managers show downloads: three digits at most. */
export function bytes(value: number): string {
  let rest = Math.max(0, value);
  let unit = 0;
  while (rest >= 999.5 && unit < UNITS.length - 1) {
    rest /= 1000;
    unit += 1;
  }
  const digits = unit === 0 || rest >= 99.95 ? 0 : rest >= 9.995 ? 1 : 2;
  return `${Number(rest.toFixed(digits))} ${UNITS[unit] ?? "TB"}`;
}

const whole = new Intl.NumberFormat("en-GB");

/** Thousands separated, for counts. */
export function count(value: number): string {
  return whole.format(value);
}

/** `1 file`, `47 files`. */
export function plural(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}

/** A stretch of time in its two largest units. */
export function duration(seconds: number): string {
  const rest = Math.max(0, Math.round(seconds));
  if (rest < 60) return `${rest} s`;
  if (rest < 3600) return `${Math.floor(rest / 60)} min ${rest % 60} s`;
  return `${Math.floor(rest / 3600)} h ${Math.floor((rest % 3600) / 60)} min`;
}

const moment = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "short" });
const exact = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "medium" });
const here = new Intl.DateTimeFormat("en-GB", { timeZoneName: "short" });
const elsewhere = new Map<string, { moment: Intl.DateTimeFormat; name: Intl.DateTimeFormat }>();

/** A UTC time of the API in the reader's own time zone; a dash when there is none. */
export function time(iso: string | null | undefined, precise = false): string {
  if (iso === null || iso === undefined || iso === "") return "–";
  const date = new Date(iso);
  return Number.isNaN(date.getTime()) ? iso : (precise ? exact : moment).format(date);
}

/** A UTC time of the API in that time zone, which is named where the reader's own clock says something else. */
export function timeIn(zone: string, iso: string | null | undefined): string {
  const date = new Date(iso ?? "");
  if (Number.isNaN(date.getTime())) return time(iso);
  let there = elsewhere.get(zone);
  if (there === undefined) {
    there = {
      moment: new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "short", timeZone: zone }),
      name: new Intl.DateTimeFormat("en-GB", { timeZoneName: "short", timeZone: zone }),
    };
    elsewhere.set(zone, there);
  }
  const name = zoneName(there.name, date);
  return name === zoneName(here, date) ? there.moment.format(date) : `${there.moment.format(date)} ${name}`;
}

function zoneName(format: Intl.DateTimeFormat, date: Date): string {
  return format.formatToParts(date).find(({ type }) => type === "timeZoneName")?.value ?? "";
}
