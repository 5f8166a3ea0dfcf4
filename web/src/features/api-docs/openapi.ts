/** Reads an OpenAPI 3 document into what the page shows: operations by group, parameters, bodies, answers, fields. */

export interface Schema {
  $ref?: string;
  type?: string | string[];
  title?: string;
  description?: string;
  format?: string;
  enum?: unknown[];
  const?: unknown;
  default?: unknown;
  items?: Schema;
  properties?: Record<string, Schema>;
  required?: string[];
  anyOf?: Schema[];
  oneOf?: Schema[];
  allOf?: Schema[];
  additionalProperties?: boolean | Schema;
}

export interface Parameter {
  $ref?: string;
  name: string;
  in: "query" | "path" | "header" | "cookie";
  required?: boolean;
  description?: string;
  schema?: Schema;
}

interface Content {
  content?: Record<string, { schema?: Schema }>;
  description?: string;
}

interface RawOperation {
  tags?: string[];
  summary?: string;
  description?: string;
  parameters?: Parameter[];
  requestBody?: Content & { $ref?: string };
  responses?: Record<string, Content & { $ref?: string }>;
}

export interface OpenApi {
  openapi: string;
  info: { title: string; version: string; description?: string };
  paths: Record<string, Record<string, unknown>>;
  components?: Record<string, Record<string, unknown>>;
}

export interface Operation {
  id: string;
  method: string;
  path: string;
  summary: string;
  description: string;
  parameters: Parameter[];
  body: { type: string; schema: Schema } | null;
  answers: { status: string; description: string; type: string | null; schema: Schema | null }[];
}

export interface Group {
  name: string;
  operations: Operation[];
}

const METHODS = ["get", "post", "put", "patch", "delete", "head"] as const;

/** Operations by their first tag, in the document's order; without a tag by the first parts of the path. */
export function groupsOf(document: OpenApi): Group[] {
  const groups = new Map<string, Operation[]>();
  for (const [path, item] of Object.entries(document.paths)) {
    for (const method of METHODS) {
      const raw = item[method] as RawOperation | undefined;
      if (raw === undefined) continue;
      const shared = (item.parameters ?? []) as Parameter[];
      const name = raw.tags?.[0] ?? path.split("/").slice(1, 3).join("/");
      const operations = groups.get(name) ?? [];
      operations.push(operationOf(document, method, path, raw, shared));
      groups.set(name, operations);
    }
  }
  return [...groups].map(([name, operations]) => ({ name, operations }));
}

function operationOf(document: OpenApi, method: string, path: string, raw: RawOperation, shared: Parameter[]): Operation {
  const parameters = [...shared, ...(raw.parameters ?? [])].map((parameter) => resolve(document, parameter));
  const body = raw.requestBody === undefined ? null : contentOf(resolve(document, raw.requestBody));
  return {
    id: `${method}-${path.replaceAll(/[^a-zA-Z0-9]+/g, "-")}`,
    method: method.toUpperCase(),
    path,
    summary: raw.summary ?? "",
    description: raw.description ?? "",
    parameters,
    body: body === null ? null : { type: body.type, schema: body.schema },
    answers: Object.entries(raw.responses ?? {}).map(([status, answer]) => {
      const resolved = resolve(document, answer);
      const content = contentOf(resolved);
      return { status, description: resolved.description ?? "", type: content?.type ?? null, schema: content?.schema ?? null };
    }),
  };
}

function contentOf(holder: Content): { type: string; schema: Schema } | null {
  const first = Object.entries(holder.content ?? {})[0];
  return first === undefined ? null : { type: first[0], schema: first[1].schema ?? {} };
}

/** Follows `$ref` inside the document; a reference that leads nowhere gives back what held it. */
export function resolve<T extends { $ref?: string }>(document: OpenApi, holder: T): T {
  let current = holder;
  // A chain of references is never longer than this; a loop ends here.
  for (let step = 0; step < 8 && current.$ref !== undefined; step += 1) {
    let found: unknown = document;
    for (const part of current.$ref.replace(/^#\//, "").split("/")) {
      found = (found as Record<string, unknown> | undefined)?.[part.replaceAll("~1", "/").replaceAll("~0", "~")];
    }
    if (typeof found !== "object" || found === null) return current;
    current = found as T;
  }
  return current;
}

/** The type in a few words: `string`, `integer or null`, `list of Case`. */
export function typeName(document: OpenApi, schema: Schema): string {
  if (schema.$ref !== undefined) {
    const resolved = resolve(document, schema);
    return resolved.title ?? schema.$ref.split("/").at(-1)?.split(".").at(-1) ?? "object";
  }
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices !== undefined) return choices.map((choice) => typeName(document, choice)).join(" or ");
  if (schema.allOf?.[0] !== undefined) return typeName(document, schema.allOf[0]);
  if (schema.enum !== undefined) return schema.enum.map((value) => JSON.stringify(value)).join(" or ");
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.type === "array") return `list of ${typeName(document, schema.items ?? {})}`;
  const type = Array.isArray(schema.type) ? schema.type.join(" or ") : (schema.type ?? "any");
  return schema.format === undefined ? type : `${type} (${schema.format})`;
}

export interface Field {
  name: string;
  depth: number;
  type: string;
  required: boolean;
  description: string;
}

/** The fields of an object, those of nested objects below them; a type inside itself is named, not opened again. */
export function fieldsOf(document: OpenApi, schema: Schema, depth = 0, inside: readonly Schema[] = []): Field[] {
  const object = objectIn(document, schema);
  if (object?.properties === undefined || inside.includes(object) || depth > 4) return [];
  const required = new Set(object.required ?? []);
  return Object.entries(object.properties).flatMap(([name, property]) => [
    {
      name,
      depth,
      type: typeName(document, property),
      required: required.has(name),
      description: property.description ?? resolve(document, property).description ?? "",
    },
    ...fieldsOf(document, property, depth + 1, [...inside, object]),
  ]);
}

function objectIn(document: OpenApi, schema: Schema): Schema | null {
  const resolved = resolve(document, schema);
  if (resolved.properties !== undefined) return resolved;
  const inner = resolved.type === "array" ? resolved.items : (resolved.anyOf ?? resolved.oneOf ?? resolved.allOf)?.find((choice) => choice.type !== "null");
  return inner === undefined ? null : objectIn(document, inner);
}
