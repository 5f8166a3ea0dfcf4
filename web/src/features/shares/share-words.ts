/** What is said of a link: its state, its end, where its series lies, what was done with it, the text of a mail. */
import { dicomDate } from "@/lib/dicom";
import { bytes, plural } from "@/lib/format";

import type { SeriesFacts, Share, ShareState } from "./share-api";

export const STATE_WORDS: Record<ShareState, { label: string; color: string; hint: string }> = {
  active: { label: "Active", color: "green", hint: "Whoever holds the link can download" },
  preparing: { label: "Preparing", color: "petrol", hint: "The de-identified copy is being made" },
  used_up: { label: "Used up", color: "gray", hint: "All of its downloads were begun" },
  expired: { label: "Expired", color: "gray", hint: "Its end has come; extending opens it again" },
  revoked: { label: "Revoked", color: "red", hint: "It was ended by hand, for good" },
  owner_disabled: { label: "Owner disabled", color: "red", hint: "The account that made it is disabled; it opens nothing until that is enabled again" },
  failed: { label: "Failed", color: "red", hint: "The de-identified copy could not be made" },
};

/** Hours of a preset, as the form's value, with its name. */
export const PRESETS = [
  { hours: 1, label: "1 hour" },
  { hours: 24, label: "24 hours" },
  { hours: 72, label: "3 days" },
  { hours: 168, label: "7 days" },
  { hours: 720, label: "30 days" },
] as const;

/** What the maker of a link says of a series whose header tells that something is burned into its pictures. */
export const BURNED_IN_WORDS = "I looked at the images: nothing that is burned into them names anybody";

const ACTS: Record<string, string> = {
  landing: "Opened the link",
  info: "Looked at the page",
  unlock: "Gave the passcode",
  zip: "Downloaded the zip",
  file: "Downloaded files",
  thumbnail: "Saw the picture",
  view: "Looked at the images",
  refused: "Was refused",
};

/** What was done with a link. */
export function actWords(what: string): string {
  return ACTS[what] ?? what;
}

/** Where a series lies. */
export function originWords({ origin, source }: Pick<Share, "origin" | "source">): string {
  return origin === "orthanc" ? "Orthanc" : source === "" ? "NAS" : source;
}

/** A series in one line, without its patient. */
export function seriesWords(facts: SeriesFacts): string {
  const said = [facts.Modality, facts.StudyDescription, facts.SeriesDescription].filter((word) => word !== undefined && word !== "");
  return said.length === 0 ? "Images" : said.join(" · ");
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** How long until then: `in 3 days`, `in 40 minutes`; `now` when it is over. Whole units, none that has not passed. */
export function untilWords(iso: string, now: number): string {
  const rest = Date.parse(iso) - now;
  if (rest <= 0) return "now";
  if (rest < MINUTE) return "in less than a minute";
  if (rest < 2 * HOUR) return `in ${plural(Math.floor(rest / MINUTE), "minute")}`;
  if (rest < 2 * DAY) return `in ${plural(Math.floor(rest / HOUR), "hour")}`;
  return `in ${plural(Math.floor(rest / DAY), "day")}`;
}

/** How long ago that was. */
export function sinceWords(iso: string, now: number): string {
  const past = now - Date.parse(iso);
  if (past < MINUTE) return "just now";
  if (past < 2 * HOUR) return `${plural(Math.floor(past / MINUTE), "minute")} ago`;
  if (past < 2 * DAY) return `${plural(Math.floor(past / HOUR), "hour")} ago`;
  return `${plural(Math.floor(past / DAY), "day")} ago`;
}

/** A moment with its weekday and the time zone it is told in: whoever reads it may live elsewhere. */
export function exactTime(iso: string, timeZone?: string): string {
  return new Intl.DateTimeFormat("en-GB", {
    weekday: "long", day: "numeric", month: "long", year: "numeric", hour: "2-digit", minute: "2-digit", timeZoneName: "short", timeZone,
  }).format(new Date(iso)); // prettier-ignore
}

export interface Mail {
  url: string;
  expiresAt: string;
  facts: SeriesFacts;
  fileCount: number;
  sizeBytes: number | null;
  hasPasscode: boolean;
  deidentified: boolean;
  maxDownloads: number | null;
}

/** A text for a mail: no patient, no passcode; of a de-identified copy no date either. Mails are read on their way. */
export function mailText(mail: Mail, timeZone?: string): string {
  const kind = mail.facts.Modality === undefined || mail.facts.Modality === "" ? "Images" : `${mail.facts.Modality} images`;
  const taken = mail.deidentified || mail.facts.StudyDate === undefined || mail.facts.StudyDate === "" ? "" : ` of ${dicomDate(mail.facts.StudyDate)}`;
  const size = mail.sizeBytes === null ? "" : `, ${bytes(mail.sizeBytes)}`;
  const lines = [
    `${kind}${taken} for you to download (${plural(mail.fileCount, "file")}${size}${mail.deidentified ? ", de-identified" : ""}):`,
    "",
    mail.url,
    "",
    `The link works until ${exactTime(mail.expiresAt, timeZone)}${mail.maxDownloads === null ? "" : `, for ${plural(mail.maxDownloads, "download")}`}.`,
  ];
  if (mail.hasPasscode) lines.push("It asks for a passcode, which you get from me by another way.");
  lines.push("Please do not pass it on.");
  return lines.join("\n");
}
