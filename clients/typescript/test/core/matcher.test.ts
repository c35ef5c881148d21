// The matcher against the definition in spec/rules.md, written with expressions and sets of paths.

import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { test } from "node:test";
import {
  compileRules,
  covers,
  maskOf,
  matchOperation,
  operationText,
  type PermissionName,
  parseOperation,
  parseTemplate,
  type Rules,
  satisfied,
} from "../../src/core/index.js";
import { Random } from "./random.js";
import { PLAIN, platform } from "./values.js";

// Enough to tell any two of the templates below apart: `z` stands for any text that no template names.
const WORDS = ["a", "ab", "az", "zb", "z", "z.z", "azb"];
const PATHS = ["/", ...[1, 2, 3, 4].flatMap(pathsOf).flatMap((path) => [path, `${path}/`])];
const SEGMENTS = ["a", "a", "ab", "a{x}", "{x}b", "a{x}b", "{x}.{y}", "{x}", "{x}"];
const NAMES = platform(PLAIN).slice(0, 4);
const GRANTS = Array.from({ length: 16 }, (_, grant) => NAMES.filter((_name, at) => (grant >> at) & 1));

interface Row {
  readonly method: string;
  readonly path: string;
  readonly anyOf: readonly (readonly PermissionName[])[] | "public";
}

function pathsOf(length: number): readonly string[] {
  return length === 0 ? [""] : pathsOf(length - 1).flatMap((path) => WORDS.map((word) => `${path}/${word}`));
}

function anyTemplate(random: Random): string {
  const segments = Array.from({ length: 1 + random.below(3) }, () => random.pick(SEGMENTS));
  if (random.below(4) === 0) segments[random.below(segments.length)] = "{p*}";
  return `/${segments.join("/")}${random.below(4) === 0 ? "/" : ""}`;
}

function anyTable(random: Random): readonly Row[] {
  const rows = random.list(10, (): Row => {
    const anyOf = random.chance() ? random.list(2, () => random.list(2, () => random.pick(NAMES))) : "public";
    return { method: random.pick(["GET", "GET", "GET", "HEAD", "PUT"]), path: anyTemplate(random), anyOf };
  });
  return [...new Map(rows.map((row) => [`${row.method} ${row.path}`, row])).values()];
}

/** A path that a row of the table matches, more often than not. */
function anyPath(random: Random, table: readonly Row[]): string {
  if (table.length === 0 || random.below(4) === 0) return random.pick(PATHS);
  const all = [...matched(random.pick(table).path)];
  return all.length === 0 ? "/" : random.pick(all);
}

function kept<Value>(compute: (template: string) => Value): (template: string) => Value {
  const known = new Map<string, Value>();
  return (template) => {
    const value = known.get(template) ?? compute(template);
    known.set(template, value);
    return value;
  };
}

const expression = kept((template) => {
  const parts = template.split(/(\{p\*\}|\{[xy]\})/).map((part, at) => {
    if (part === "{p*}") return template.endsWith("{p*}") ? "(?:[^/]+/)*[^/]*" : "[^/]+(?:/[^/]+)*";
    return at % 2 === 1 ? "[^/]+" : part.replaceAll(".", "\\.");
  });
  return new RegExp(`^${parts.join("")}$`);
});

const matched = kept((template) => new Set(PATHS.filter((path) => expression(template).test(path))));

function isWithinOther(inner: string, outer: string): boolean {
  return [...matched(inner)].every((path) => matched(outer).has(path));
}

/** The rules that apply: all that match, less those that are strictly wider than another one that matches. */
function byDefinition(table: readonly Row[], method: string, path: string): readonly Row[] {
  const hits = table.filter((row) => row.method === method && expression(row.path).test(path));
  if (hits.length === 0 && method === "HEAD") return byDefinition(table, "GET", path);
  const isWider = (one: Row, other: Row) => isWithinOther(other.path, one.path) && !isWithinOther(one.path, other.path);
  return hits.filter((row) => !hits.some((other) => isWider(row, other)));
}

function compiled(table: readonly Row[]): Rules {
  const rules = table.map(({ method, path, anyOf }) => ({
    operation: parseOperation(`${method} ${path}`),
    requirement: anyOf === "public" ? anyOf : { anyOf },
  }));
  return compileRules({ rules }, PLAIN);
}

/** Compiles a table; undefined where two of its templates are one operation but for their names. */
function unambiguous(table: readonly Row[]): Rules | undefined {
  const same = new Set(table.map(({ method, path }) => `${method} ${path.replaceAll("{y}", "{x}")}`));
  return same.size < table.length ? undefined : compiled(table);
}

test("the matcher says what the definition says, whatever the order", () => {
  const random = new Random(21);
  let [crossing, found] = [0, 0];
  for (let round = 0; round < 1_500; round += 1) {
    const table = anyTable(random);
    const [rules, again] = [unambiguous(table), unambiguous(random.shuffled(table))];
    if (rules === undefined || again === undefined) continue;
    for (let ask = 0; ask < 5; ask += 1) {
      const [method, path] = [random.pick(["GET", "HEAD", "PUT"]), anyPath(random, table)];
      const applying = byDefinition(table, method, path);
      const match = matchOperation(rules, method, path.slice(1).split("/"));
      deepStrictEqual(match, matchOperation(again, method, path.slice(1).split("/")));
      strictEqual(applying.length > 0, match !== undefined);
      if (match === undefined) continue;
      found += 1;
      crossing += applying.length > 1 ? 1 : 0;
      ok(applying.some((row) => operationText(match.operation) === `${row.method} ${row.path}`));
      const guarded = applying.flatMap(({ anyOf }) => (anyOf === "public" ? [] : [anyOf]));
      for (const held of GRANTS) {
        const met = guarded.every((anyOf) => anyOf.some((names) => names.every((name) => held.includes(name))));
        strictEqual(met, match.public || satisfied(match.need, maskOf(PLAIN, held)) !== undefined);
      }
    }
  }
  deepStrictEqual([true, true], [found > 500, crossing > 20]);
});

test("a template covers another exactly where it matches all that the other one matches", () => {
  const random = new Random(22);
  let covered = 0;
  for (let round = 0; round < 800; round += 1) {
    const [outer, inner] = [anyTemplate(random), anyTemplate(random)];
    const expected = isWithinOther(inner, outer);
    strictEqual(expected, covers(parseTemplate(outer), parseTemplate(inner)), `${outer} and ${inner}`);
    covered += expected ? 1 : 0;
  }
  ok(covered > 50);
});

test("a segment with a slash in it is not two segments", () => {
  const rules = compiled([{ method: "GET", path: "/a/b/c", anyOf: "public" }]);
  deepStrictEqual(
    [undefined, undefined, true],
    [
      ["a/b", "c"],
      ["a", "b/c"],
      ["a", "b", "c"],
    ].map((segments) => matchOperation(rules, "GET", segments)?.public),
  );
});

/** The operation that a table names for a path, whichever way round it is written. */
function named(operations: readonly string[], path: string): readonly (string | undefined)[] {
  return [operations, operations.toReversed()].map((texts) => {
    const table = texts.map((text) => ({ operation: parseOperation(text), requirement: "public" as const }));
    const match = matchOperation(compileRules({ rules: table }, PLAIN), "GET", path.slice(1).split("/"));
    return match && operationText(match.operation);
  });
}

test("of mixed segments with as much text the order is that of code points, and not of UTF-16 units", () => {
  const [astral, plain] = ["GET /{x}\u{1F511}", "GET /{x}\uFF5E{y}"];
  deepStrictEqual([plain, plain], named([astral, plain], "/a\uFF5Eb\u{1F511}"));
});

test("how much text a mixed segment has is counted in code points", () => {
  const [astral, plain] = ["GET /\u{1F511}{x}", "GET /{x}ab"];
  deepStrictEqual([plain, plain], named([astral, plain], "/\u{1F511}ab"));
});

test("where two spans begin together, the one that ends first is named", () => {
  const [early, late] = ["GET /{p*}/b/{x}", "GET /{p*}/a{x}"];
  deepStrictEqual([early, early], named([early, late], "/z/b/ac"));
});
