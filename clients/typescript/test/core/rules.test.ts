import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import { test } from "node:test";
import {
  compileRules,
  covers,
  InvalidOperationError,
  matchOperation,
  objectOf,
  operationText,
  parseOperation,
  parseTemplate,
  type Rules,
  RulesError,
  readTarget,
  register,
  ruleFaults,
} from "../../src/core/index.js";
import { Random } from "./random.js";
import { catalogOf, some, tableOf, vectors, type WrittenCatalog, type WrittenRule } from "./vectors.js";

interface Request {
  readonly method: string;
  readonly target: string;
  readonly preflight?: boolean;
  readonly operation: string | null;
  readonly any_of?: readonly (readonly string[])[] | null;
  readonly object?: string | null;
  readonly writes?: boolean;
  readonly report?: boolean;
  readonly why: string;
}

interface File {
  readonly catalog: WrittenCatalog;
  readonly tables: readonly {
    name: string;
    rules: readonly WrittenRule[];
    cors_preflight?: boolean;
    requests: readonly Request[];
  }[];
  readonly bad_operations: readonly { operation: string; why: string }[];
  readonly faults: readonly { rules: readonly WrittenRule[]; faults: readonly [number, string][]; why: string }[];
  readonly covers: readonly { outer: string; inner: string; covers: boolean; why: string }[];
}

const FILE = vectors<File>("rules.json");
const REGISTER = register(catalogOf(FILE.catalog));

/** What a table says of a request, as far as the row asks. */
function answer(request: Request, rules: Rules): Request {
  const { method, target, preflight, why } = request;
  const read = readTarget(Buffer.from(target, "latin1"));
  const segments = read.readable ? read.segments : [];
  const match = matchOperation(rules, method, segments, { preflight });
  const asked = { method, target, ...(preflight ? { preflight } : {}), why };
  if (match === undefined) return { ...asked, operation: null };
  const facts = {
    any_of: match.public ? null : match.need.requirement.anyOf,
    object: objectOf(match, segments) ?? null,
    writes: match.writes,
    report: !match.public && match.report,
  };
  const told = Object.entries(facts).filter(([name]) => name in request);
  return { ...asked, operation: operationText(match.operation), ...Object.fromEntries(told) };
}

const ORDERS: Record<string, (rules: readonly WrittenRule[]) => readonly WrittenRule[]> = {
  "as written": (rules) => rules,
  reversed: (rules) => rules.toReversed(),
  shuffled: (rules) => new Random(7).shuffled(rules),
  "shuffled otherwise": (rules) => new Random(8).shuffled(rules),
};

for (const table of some(FILE.tables)) {
  for (const [order, arrange] of Object.entries(ORDERS)) {
    test(`each request finds its operation: ${table.name}, ${order}`, () => {
      const rules = compileRules(tableOf(arrange(table.rules), REGISTER, table.cors_preflight), REGISTER);
      // Twice, for what rules are together is kept from the first time.
      for (const request of [...some(table.requests), ...table.requests]) {
        deepStrictEqual(request, answer(request, rules));
      }
    });
  }
}

for (const row of some(FILE.bad_operations)) {
  test(`what is no operation is refused: ${row.why} (${row.operation})`, () => {
    throws(() => parseOperation(row.operation), InvalidOperationError);
  });
}

for (const row of some(FILE.faults)) {
  test(`an ambiguous table is faulted: ${row.why}`, () => {
    const table = tableOf(row.rules, REGISTER);
    deepStrictEqual(
      row.faults,
      ruleFaults(table).map(({ rule, field }) => [rule, field]),
    );
    if (row.faults.length > 0) throws(() => compileRules(table, REGISTER), RulesError);
  });
}

for (const row of some(FILE.covers)) {
  test(`one template is wider than another: ${row.outer} and ${row.inner}, ${row.why}`, () => {
    strictEqual(row.covers, covers(parseTemplate(row.outer), parseTemplate(row.inner)));
  });
}
