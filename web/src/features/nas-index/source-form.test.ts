import { describe, expect, test } from "vitest";

import { ApiError } from "@/lib/api/errors";

import { mistakes, NEW_SOURCE, toConfig, toForm } from "./source-form";
import { refusalOf } from "./source-refusal";
import type { SourceConfig } from "./sources-api";

const SHARE: SourceConfig = { ...NEW_SOURCE, name: "ward", type: "smb", host: "nas", share: "images", username: "reader", password: "***", path: "/dicom", port: 4450 };

const REMOTE: SourceConfig = { ...SHARE, type: "sftp", share: "", remote_commands: "off" };

const ARCHIVE: SourceConfig = {
  ...NEW_SOURCE,
  name: "pictures",
  path: "/mnt/pictures",
  firebird: {
    database: "archive",
    host: "127.0.0.1",
    port: 3050,
    username: "SYSDBA",
    password: "***",
    role: "",
    charset: "WIN1252",
    table: "PICTURES",
    columns: { path: "FILE_PATH", PatientName: "NAME" },
    path_prefix: "D:\\archive\\",
    defaults: { Modality: "XC" },
  },
};

describe("a source in its form", () => {
  test("comes back as it was, its secret unsaid", () => {
    expect(toConfig(toForm(SHARE))).toEqual(SHARE);
    expect(toForm(SHARE).password).toEqual({ typed: "", isKept: true });
    expect(toConfig(toForm(ARCHIVE))).toEqual(ARCHIVE);
    expect(toConfig(toForm(REMOTE))).toEqual(REMOTE);
  });

  test("gets a new secret by typing one, and loses it by forgetting it", () => {
    const form = toForm(SHARE);
    expect(toConfig({ ...form, password: { typed: "new", isKept: true } }).password).toBe("new");
    expect(toConfig({ ...form, password: { typed: "", isKept: false } }).password).toBe("");
  });

  test("of another type leaves behind what means nothing there", () => {
    const local = toConfig({ ...toForm(SHARE), type: "local", path: "/mnt/nas" });
    expect(local).toEqual({ ...NEW_SOURCE, name: "ward", path: "/mnt/nas" });
  });

  test("that is not whole says so at the field", () => {
    expect(mistakes(toForm(NEW_SOURCE), [])).toHaveProperty("name");
    expect(mistakes(toForm({ ...NEW_SOURCE, name: "a", path: "mnt" }), [])).toHaveProperty("path");
    expect(mistakes(toForm({ ...SHARE, host: "", share: "" }), [])).toMatchObject({ host: /./, share: /./ });
    expect(mistakes(toForm(SHARE), ["ward"])).toHaveProperty("name");
    expect(mistakes(toForm({ ...ARCHIVE, firebird: { columns: { PatientName: "" } } }), [])).toMatchObject({
      "firebird.database": /./,
      "firebird.pathColumn": /./,
      "firebird.table": /./,
      "firebird.columns.0.value": /./,
    });
    expect(mistakes(toForm(SHARE), [])).toEqual({});
    expect(mistakes(toForm(ARCHIVE), [])).toEqual({});
  });
});

describe("what the server refuses", () => {
  const refused = (message: string, detail: unknown = null) => refusalOf(new ApiError(400, "bad_request", message, detail), 1);

  test("stands at its field", () => {
    const detail = [
      { field: "sources.1.port", problem: "Input should be less than or equal to 65535" },
      { field: "sources.1", problem: "Value error, host is no host name and no address" },
    ];
    expect(refused("The request does not fit: …", detail).fields).toEqual({
      port: "Input should be less than or equal to 65535.",
      host: "Host is no host name and no address.",
    });
  });

  test("is taken apart where it is a sentence only", () => {
    expect(refused("The configuration does not fit: sources.1.timeout: Input should be greater than 0; sources.1: Value error, path cannot hold `..`").fields).toEqual({
      timeout: "Input should be greater than 0.",
      path: "Path cannot hold `..`.",
    });
    expect(refused("ward 7: this folder lies below none of NAS_ALLOWED_ROOTS.").fields).toEqual({ path: "This folder lies below none of NAS_ALLOWED_ROOTS." });
    expect(refused("ward: with another host or account the password has to be typed again.").fields).toEqual({
      password: "With another host or account the password has to be typed again.",
    });
  });

  test("of a database's mapping stands there too", () => {
    expect(refused("old archive: firebird.charset: String should match pattern '^[A-Z0-9_]+$'; firebird: either table or query is needed").fields).toEqual({
      "firebird.charset": "String should match pattern '^[A-Z0-9_]+$'.",
      "firebird.table": "Either table or query is needed.",
    });
  });

  test("of another source, or of no field, is told as a whole", () => {
    expect(refused("The request does not fit", [{ field: "sources.0.port", problem: "no port" }])).toEqual({ fields: {}, rest: ["sources.0.port: No port."] });
    expect(refused("The file cannot be written.")).toEqual({ fields: {}, rest: ["The file cannot be written."] });
    expect(refusalOf(new ApiError(503, "busy", "Busy."), 0)).toEqual({ fields: {}, rest: ["Busy."] });
  });
});
