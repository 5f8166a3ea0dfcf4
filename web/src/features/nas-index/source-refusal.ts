/** What the server says against a source, put at the field that it is about. */
import { ApiError } from "@/lib/api/errors";

export interface Refusal {
  /** By the form's field. */
  fields: Record<string, string>;
  /** What belongs to no field. */
  rest: string[];
}

/** Which field a sentence about a source as a whole is about; the server's own words, `nas_config.py` and `nas_api.py`. */
const ABOUT: [RegExp, string][] = [
  [/same name/, "name"],
  [/needs a host|host is no host name/, "host"],
  [/needs a share/, "share"],
  [/absolute path|path cannot hold|NAS_ALLOWED_ROOTS/, "path"],
  [/key file/, "private_key_path"],
  [/either table or query/, "firebird.table"],
  [/query must be/, "firebird.query"],
  [/which one holds the path/, "firebird.pathColumn"],
  [/password has to be typed again|password are needed/, "password"],
];

const RENAMED: Record<string, string> = { "firebird.path_prefix": "firebird.pathPrefix" };

/** `place` is where the source stands in the list that was sent. */
export function refusalOf(error: Error, place: number): Refusal {
  const refusal: Refusal = { fields: {}, rest: [] };
  if (!(error instanceof ApiError) || error.status !== 400) return { fields: {}, rest: [error.message] };
  for (const { field, problem } of problemsOf(error)) {
    const at = fieldOf(field, problem, place);
    if (at === null) refusal.rest.push(field === "" ? sentence(problem) : `${field}: ${sentence(problem)}`);
    else refusal.fields[at] ??= sentence(problem);
  }
  return refusal;
}

interface Problem {
  field: string;
  problem: string;
}

/** One entry for each field, as the error's detail has them; else the sentence is taken apart, `sources.0.host: why; …`. */
function problemsOf(error: ApiError): Problem[] {
  if (Array.isArray(error.detail)) {
    const told = error.detail.filter(isProblem);
    if (told.length > 0) return told;
  }
  const listed = error.message.replace(/^The (request|configuration) does not fit: |^[^;]*?: (?=firebird[.:])/, "");
  if (listed === error.message) return [{ field: "", problem: error.message }];
  return listed.split("; ").map((each) => {
    const [, field = "", problem = each] = /^([\w.]+): (.*)$/s.exec(each) ?? [];
    return { field, problem };
  });
}

function isProblem(value: unknown): value is Problem {
  return typeof value === "object" && value !== null && "field" in value && "problem" in value && typeof value.field === "string" && typeof value.problem === "string";
}

function fieldOf(field: string, problem: string, place: number): string | null {
  const [, index, ofSource] = /^sources(?:\.(\d+))?(?:\.(.+))?$/.exec(field) ?? [];
  if (index !== undefined && Number(index) !== place) return null;
  const named = ofSource ?? (field.startsWith("sources") ? "" : field);
  if (named.startsWith("firebird.columns")) return "firebird.pathColumn";
  if (named !== "" && named !== "firebird") return RENAMED[named] ?? named;
  return ABOUT.find(([words]) => words.test(problem))?.[1] ?? null;
}

/** Without the checker's prefix and the source's own name, with a capital and a full stop. */
function sentence(problem: string): string {
  const plain = problem.replace(/^Value error, /, "").replace(/^[\w .:-]+?: (?=\S)/, "").trim();
  const capital = plain.charAt(0).toUpperCase() + plain.slice(1);
  return /[.!?]$/.test(capital) ? capital : `${capital}.`;
}
