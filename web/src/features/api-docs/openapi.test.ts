import { expect, test } from "vitest";

import { addressOf } from "./address";
import { fieldsOf, groupsOf, typeName, type OpenApi } from "./openapi";

const DOCUMENT: OpenApi = {
  openapi: "3.1.0",
  info: { title: "T", version: "1" },
  paths: {
    "/api/cases/{id}": {
      parameters: [{ name: "id", in: "path", required: true, schema: { type: "string" } }],
      get: {
        tags: ["Cases"],
        responses: { 200: { description: "OK", content: { "application/json": { schema: { $ref: "#/components/schemas/Case" } } } } },
      },
    },
    "/health": { get: { responses: {} } },
  },
  components: {
    schemas: {
      Case: {
        title: "Case",
        type: "object",
        required: ["id"],
        properties: {
          id: { type: "string" },
          next: { anyOf: [{ $ref: "#/components/schemas/Case" }, { type: "null" }] },
          dates: { type: "array", items: { type: "string", format: "date" } },
        },
      },
    },
  },
};

test("operations are grouped by tag, else by path, with the path's own parameters", () => {
  const groups = groupsOf(DOCUMENT);
  expect(groups.map(({ name }) => name)).toEqual(["Cases", "health"]);
  expect(groups[0]?.operations[0]?.parameters.map(({ name }) => name)).toEqual(["id"]);
});

test("a type inside itself is named, not opened without end", () => {
  const schema = { $ref: "#/components/schemas/Case" };
  expect(typeName(DOCUMENT, schema)).toBe("Case");
  expect(fieldsOf(DOCUMENT, schema).map(({ name, type }) => [name, type])).toEqual([
    ["id", "string"],
    ["next", "Case or null"],
    ["dates", "list of string (date)"],
  ]);
});

test("a reference that leads nowhere breaks nothing", () => {
  expect(typeName(DOCUMENT, { $ref: "#/components/schemas/Gone" })).toBe("Gone");
  expect(fieldsOf(DOCUMENT, { $ref: "#/components/schemas/Gone" })).toEqual([]);
});

test("what is typed goes into path and query, escaped", () => {
  const parameters = [
    { name: "id", in: "path" as const },
    { name: "q", in: "query" as const },
  ];
  expect(addressOf("/api/cases/{id}", parameters, { id: "a/b", q: "x y" })).toBe("/api/cases/a%2Fb?q=x+y");
});
