/** A source as its form holds it, and the way from the configuration into the form and back. */
import type { Secret } from "@/components/secret-field";

import { KEPT, type FirebirdConfig, type SourceConfig, type SourceType } from "./sources-api";

/** A number field; empty means "as the server thinks best". */
export type Figure = number | string;

export interface Pair {
  name: string;
  value: string;
}

export interface FirebirdForm {
  isUsed: boolean;
  database: string;
  host: string;
  port: Figure;
  username: string;
  password: Secret;
  role: string;
  charset: string;
  by: "table" | "query";
  table: string;
  query: string;
  pathColumn: string;
  columns: Pair[];
  pathPrefix: string;
  defaults: Pair[];
}

export interface SourceForm {
  name: string;
  enabled: boolean;
  type: SourceType;
  host: string;
  port: Figure;
  share: string;
  username: string;
  password: Secret;
  domain: string;
  path: string;
  encryption: SourceConfig["encryption"];
  private_key_path: string;
  host_fingerprint: string;
  timeout: Figure;
  retry_attempts: Figure;
  retry_delay: Figure;
  connection_pool_size: Figure;
  enumeration_method: SourceConfig["enumeration_method"];
  max_workers: Figure;
  chunk_size: Figure;
  performance_mode: SourceConfig["performance_mode"];
  remote_commands: SourceConfig["remote_commands"];
  firebird: FirebirdForm;
}

/** A new source before anything is said of it; the figures are the server's own. */
export const NEW_SOURCE: SourceConfig = {
  name: "",
  enabled: true,
  type: "local",
  host: "",
  port: null,
  share: "",
  username: "",
  password: "",
  domain: "",
  path: "",
  timeout: 30,
  retry_attempts: 3,
  retry_delay: 5,
  connection_pool_size: 0,
  enumeration_method: "auto",
  max_workers: 0,
  chunk_size: 0,
  performance_mode: "balanced",
  encryption: "",
  private_key_path: "",
  host_fingerprint: "",
  remote_commands: "auto",
  firebird: null,
};

/** What a column of a Firebird database may stand for, beside the path. */
export const KEYWORDS = [
  "PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyDate", "StudyTime", "StudyDescription", "StudyID",
  "StudyInstanceUID", "SeriesInstanceUID", "SeriesNumber", "SeriesDescription", "SOPInstanceUID", "InstanceNumber",
  "Modality", "BodyPartExamined", "AccessionNumber", "InstitutionName", "ReferringPhysicianName", "Manufacturer",
  "InsurancePlanIdentification", "OtherPatientIDs",
];

const PATH = "path";

export function toForm(config: SourceConfig): SourceForm {
  const { firebird, password, port, ...plain } = config;
  return {
    ...plain,
    port: port ?? "",
    connection_pool_size: orEmpty(config.connection_pool_size),
    max_workers: orEmpty(config.max_workers),
    chunk_size: orEmpty(config.chunk_size),
    password: secretOf(password),
    firebird: firebirdForm(firebird),
  };
}

/** The configuration that the form says; what means nothing for its type is left at its default. */
export function toConfig(form: SourceForm): SourceConfig {
  const isNetwork = form.type === "smb" || form.type === "sftp";
  const isSmb = form.type === "smb";
  const isSftp = form.type === "sftp";
  return {
    name: form.name.trim(),
    enabled: form.enabled,
    type: form.type,
    host: isNetwork ? form.host.trim() : "",
    port: isNetwork ? (number(form.port) ?? null) : null,
    share: isSmb ? form.share.trim() : "",
    username: isNetwork ? form.username.trim() : "",
    password: isNetwork ? said(form.password) : "",
    domain: isSmb ? form.domain.trim() : "",
    path: form.path.trim(),
    timeout: number(form.timeout) ?? NEW_SOURCE.timeout,
    retry_attempts: number(form.retry_attempts) ?? NEW_SOURCE.retry_attempts,
    retry_delay: number(form.retry_delay) ?? NEW_SOURCE.retry_delay,
    connection_pool_size: number(form.connection_pool_size) ?? 0,
    enumeration_method: form.enumeration_method,
    max_workers: number(form.max_workers) ?? 0,
    chunk_size: number(form.chunk_size) ?? 0,
    performance_mode: form.performance_mode,
    encryption: isSmb ? form.encryption : "",
    private_key_path: isSftp ? form.private_key_path.trim() : "",
    host_fingerprint: isSftp ? form.host_fingerprint.trim() : "",
    remote_commands: isSftp ? form.remote_commands : "auto",
    firebird: form.type === "list" ? null : firebirdConfig(form.firebird),
  };
}

/** What the form can tell by itself, by field; the rest is the server's to say. `taken` are the names of other sources. */
export function mistakes(form: SourceForm, taken: readonly string[]): Record<string, string> {
  const found: Record<string, string> = {};
  const name = form.name.trim();
  if (name === "") found.name = "Give it a name: runs and series are listed under it.";
  else if (!/^[\p{L}\p{N}_][\p{L}\p{N}_ .:-]*$/u.test(name)) found.name = "Letters, digits, spaces and . : _ - only.";
  else if (taken.includes(name)) found.name = "Another source has this name.";
  const needsHost = form.type === "smb" || form.type === "sftp";
  if (needsHost && form.host.trim() === "") found.host = "The NAS's name or address is needed.";
  if (form.type === "smb" && form.share.trim() === "") found.share = "The name of the share is needed.";
  if (!needsHost && !form.path.trim().startsWith("/")) found.path = "A path of the server that begins with /.";
  if (form.type !== "list" && form.firebird.isUsed) Object.assign(found, firebirdMistakes(form.firebird));
  return found;
}

function firebirdMistakes(form: FirebirdForm): Record<string, string> {
  const found: Record<string, string> = {};
  if (form.database.trim() === "") found["firebird.database"] = "The database's path or alias is needed.";
  if (form.pathColumn.trim() === "") found["firebird.pathColumn"] = "Which column says where a picture lies?";
  if (form.by === "table" && form.table.trim() === "") found["firebird.table"] = "Name the table, or ask by a query.";
  if (form.by === "query" && form.query.trim() === "") found["firebird.query"] = "Write the query, or name a table.";
  form.columns.forEach(({ name, value }, place) => {
    if (name !== "" && value.trim() === "") found[`firebird.columns.${place}.value`] = "Which column?";
    if (name === "" && value.trim() !== "") found[`firebird.columns.${place}.name`] = "What does it hold?";
  });
  return found;
}

function firebirdForm(config: Partial<FirebirdConfig> | null): FirebirdForm {
  const { [PATH]: pathColumn = "", ...columns } = config?.columns ?? {};
  return {
    isUsed: config !== null,
    database: config?.database ?? "",
    host: config?.host ?? "127.0.0.1",
    port: config?.port ?? 3050,
    username: config?.username ?? "SYSDBA",
    password: secretOf(config?.password ?? ""),
    role: config?.role ?? "",
    charset: config?.charset ?? "UTF8",
    by: (config?.query ?? "") === "" ? "table" : "query",
    table: config?.table ?? "",
    query: config?.query ?? "",
    pathColumn,
    columns: config?.columns === undefined ? [{ name: "PatientName", value: "" }] : pairs(columns),
    pathPrefix: config?.path_prefix ?? "",
    defaults: pairs(config?.defaults ?? {}),
  };
}

function firebirdConfig(form: FirebirdForm): Partial<FirebirdConfig> | null {
  if (!form.isUsed) return null;
  const asked = form.by === "table" ? { table: form.table.trim() } : { query: form.query.trim() };
  return {
    database: form.database.trim(),
    host: form.host.trim(),
    port: number(form.port) ?? 3050,
    username: form.username.trim(),
    password: said(form.password),
    role: form.role.trim(),
    charset: form.charset.trim().toUpperCase(),
    ...asked,
    columns: { [PATH]: form.pathColumn.trim(), ...record(form.columns) },
    path_prefix: form.pathPrefix,
    defaults: record(form.defaults),
  };
}

function secretOf(shown: string): Secret {
  return shown === KEPT ? { typed: "", isKept: true } : { typed: shown, isKept: false };
}

function said({ typed, isKept }: Secret): string {
  return typed === "" && isKept ? KEPT : typed;
}

function pairs(values: Record<string, string>): Pair[] {
  return Object.entries(values).map(([name, value]) => ({ name, value }));
}

function record(rows: Pair[]): Record<string, string> {
  return Object.fromEntries(rows.filter(({ name, value }) => name !== "" && value.trim() !== "").map(({ name, value }) => [name, value.trim()]));
}

/** Zero means "as many as fit" and is an empty field. */
function orEmpty(value: number): Figure {
  return value === 0 ? "" : value;
}

function number(value: Figure): number | undefined {
  return typeof value === "number" ? value : undefined;
}
