/** The form of a new link, and the JSON that it becomes. */
import { makePasscode, SHORTEST } from "./passcode";
import type { NewShare } from "./share-api";

export interface FormValues {
  /** Hours of a preset, or "own". */
  expiry: string;
  ownAmount: number | string;
  ownUnit: "hours" | "days";
  hasPasscode: boolean;
  passcode: string;
  maxDownloads: number | string;
  deidentified: boolean;
  acceptBurnedIn: boolean;
  note: string;
}

/** A day, and a passcode: what is wanted otherwise is said. */
export function startValues(): FormValues {
  return {
    expiry: "24",
    ownAmount: 2,
    ownUnit: "days",
    hasPasscode: true,
    passcode: makePasscode(),
    maxDownloads: "",
    deidentified: false,
    acceptBurnedIn: false,
    note: "",
  };
}

export function hoursOf({ expiry, ownAmount, ownUnit }: Pick<FormValues, "expiry" | "ownAmount" | "ownUnit">): number {
  if (expiry !== "own") return Number(expiry);
  return Number(ownAmount) * (ownUnit === "days" ? 24 : 1);
}

export function checkHours(values: Pick<FormValues, "expiry" | "ownAmount" | "ownUnit">): string | null {
  const hours = hoursOf(values);
  return values.expiry === "own" && (values.ownAmount === "" || !Number.isFinite(hours) || hours < 1) ? "An hour at least." : null;
}

export function checkPasscode({ hasPasscode, passcode }: Pick<FormValues, "hasPasscode" | "passcode">): string | null {
  return hasPasscode && passcode.length < SHORTEST ? `It needs ${SHORTEST} characters at least.` : null;
}

export function toShare(seriesKey: string, values: FormValues): NewShare {
  return {
    series_key: seriesKey,
    expires_hours: hoursOf(values),
    password: values.hasPasscode ? values.passcode : null,
    max_downloads: values.maxDownloads === "" ? null : Number(values.maxDownloads),
    deidentified: values.deidentified,
    accept_burned_in: values.deidentified && values.acceptBurnedIn,
    note: values.note.trim(),
  };
}
