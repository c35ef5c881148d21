import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import { test } from "node:test";
import {
  type CatalogDefinition,
  CatalogError,
  compileCatalog,
  effective,
  findPermission,
  impliedBy,
  isObserving,
  isOperatorOnly,
  maskOf,
  namesOf,
  type PermissionName,
  permissionTitle,
  RegisterError,
  register,
  registerOf,
} from "../../src/core/index.js";

const DATASETS = { name: "datasets", title: "Datasets", group: "Core Data", levels: ["read", "write"] };
const TOKENS = { name: "tokens", title: "Tokens", group: "Access", levels: ["read", "write", "full_control"] };
const LEVELS = ["read", "write", "full_control"];
const CATALOG = compileCatalog({
  name: "p",
  resources: [DATASETS, TOKENS],
  levels: LEVELS,
  observes: ["read", "full_control"],
  implies: { full_control: ["write"], write: ["read"] },
  own: { keys: "tokens" },
});

const FAULTS: readonly (readonly [readonly (readonly (string | number)[])[], Partial<CatalogDefinition>])[] = [
  [[["levels"], ["observes"], ["resource", 0, "levels"], ["resource", 0, "levels"]], { levels: [] }],
  [[["levels"]], { levels: ["read", "write", "Write"] }],
  [[["levels"]], { levels: ["read", "write", "read"] }],
  [[["observes"]], { observes: ["look"] }],
  [[["implies"], ["implies"]], { implies: { admin: ["look"] } }],
  [[["resource", 0, "name"]], { resources: [{ ...DATASETS, name: "Datasets" }] }],
  [[["resource", 0, "name"]], { resources: [{ ...DATASETS, name: "scopekey_keys" }] }],
  [[["resource", 1, "name"]], { resources: [DATASETS, DATASETS] }],
  [[["resource", 0, "levels"]], { resources: [{ ...DATASETS, levels: [] }] }],
  [[["resource", 0, "levels"]], { resources: [{ ...DATASETS, levels: ["read", "admin"] }] }],
  [[["resource", 0, "levels"]], { resources: [{ ...DATASETS, levels: ["read", "read"] }] }],
  [[["own"]], { own: { everything: "datasets" } }],
  [[["own"]], { own: { keys: "tokens" } }],
  [[["own"]], { resources: [{ ...DATASETS, levels: ["read"] }], own: { keys: "datasets" } }],
  [[["own"]], { own: { keys: "datasets", audit: "datasets" } }],
  [[["preset", 0, "permissions"]], { presets: [{ name: "x", title: "X", permissions: ["dataset:read"] }] }],
  [[["preset", 0, "permissions"]], { presets: [{ name: "x", title: "X", permissions: ["scopekey_keys:read"] }] }],
  [[["preset", 0, "permissions"]], { presets: [{ name: "x", title: "X", permissions: ["everything"] }] }],
];

for (const [where, changed] of FAULTS) {
  test(`a catalog that contradicts itself is faulted where it does: ${JSON.stringify(changed)}`, () => {
    const compile = () => compileCatalog({ name: "p", resources: [DATASETS], ...changed });
    throws(compile, (error) => {
      deepStrictEqual(where, error instanceof CatalogError && error.faults.map((fault) => fault.where));
      return true;
    });
  });
}

for (const [nearest, name] of [
  ["datasets:read", "dataset:read"],
  ["datasets:write", "datasets:wrote"],
  ["tokens:full_control", "token:full-control"],
  ["tokens:read", "\u{1F511}\u{1F511}\u{1F511}read"],
  [undefined, "zzz"],
  [undefined, "datasets:read".repeat(20)],
] as const) {
  test(`an unknown permission is refused with the nearest known one: ${name.slice(0, 20)}`, () => {
    throws(() => findPermission(CATALOG, name), { name: "UnknownPermissionError", permission: name, nearest });
  });
}

test("the nearest is not looked for where a name is longer than any permission's", () => {
  const long = compileCatalog({ name: "p", resources: [{ ...DATASETS, name: "r".repeat(64) }] });
  const nearest = `${"r".repeat(64)}:read`;
  throws(() => findPermission(long, `${"r".repeat(92)}:read`), { name: "UnknownPermissionError", nearest });
  throws(() => findPermission(long, `${"r".repeat(93)}:read`), { name: "UnknownPermissionError", nearest: undefined });
});

test("a permission is written for people", () => {
  const titles = ["datasets:read", "tokens:full_control", "scopekey_audit:read"] as const;
  deepStrictEqual(
    ["Read Datasets", "Full control Tokens", "Read Scopekey Audit"],
    titles.map((name) => permissionTitle(CATALOG, name)),
  );
});

test("Scopekey's own follow read and write, by either name, and imply nothing", () => {
  const looks = (name: string) => isObserving(CATALOG, findPermission(CATALOG, name));
  deepStrictEqual(
    [true, false, true, false],
    ["datasets:read", "datasets:write", "tokens:read", "tokens:full_control"].map(looks),
  );
  deepStrictEqual([], impliedBy(CATALOG, findPermission(CATALOG, "scopekey_keys:write")));
  deepStrictEqual(
    ["datasets:read"],
    impliedBy(CATALOG, findPermission(CATALOG, "datasets:write")).map(({ name }) => name),
  );
});

test("what reaches across organizations is the operator's alone, by either name", () => {
  const aliased = compileCatalog({ name: "p", resources: [DATASETS], own: { organizations: "datasets" } });
  strictEqual(true, isOperatorOnly(aliased, findPermission(aliased, "datasets:read")));
  strictEqual(true, isOperatorOnly(aliased, findPermission(aliased, "scopekey_journal:write")));
  strictEqual(false, isOperatorOnly(aliased, findPermission(aliased, "scopekey_keys:write")));
});

test("a level may be called what every object of JavaScript has", () => {
  const levels = ["read", "write", "constructor", "valueof"];
  const catalog = compileCatalog({ name: "p", resources: [{ ...DATASETS, levels }], levels });
  deepStrictEqual([], impliedBy(catalog, findPermission(catalog, "datasets:constructor")));
  throws(() => findPermission(catalog, "scopekey_constructor:read"), { name: "UnknownPermissionError" });
});

test("a grant of more than 64 permissions is still one integer", () => {
  const resources = Array.from({ length: 300 }, (_, at) => ({ ...DATASETS, name: `r${at}` }));
  const many = register(compileCatalog({ name: "many", resources }));
  const names = Array.from({ length: 43 }, (_, at): PermissionName => `r${at * 7}:write`);
  deepStrictEqual(names, namesOf(many, maskOf(many, names.toReversed())));
  strictEqual(618, namesOf(many, many.all).length);
});

test("bits of permissions that are gone mean nothing", () => {
  const known = register(CATALOG);
  const gone = 1n << BigInt(known.nextBit);
  deepStrictEqual([[], 0n], [namesOf(known, gone), effective(known, gone)]);
});

for (const [words, change] of [
  ["has no bit", (bits: Map<PermissionName, number>) => bits.delete("datasets:read")],
  ["is another one's", (bits: Map<PermissionName, number>) => bits.set("datasets:read", 1)],
  ["was never given", (bits: Map<PermissionName, number>) => bits.set("datasets:read", 999)],
  ["was never given", (bits: Map<PermissionName, number>) => bits.set("datasets:read", -1)],
] as const) {
  test(`a register whose bits are not the catalog's is refused: a bit that ${words}`, () => {
    const known = register(CATALOG);
    const bits = new Map(known.bits);
    change(bits);
    throws(() => registerOf(CATALOG, bits, known.nextBit), RegisterError);
    deepStrictEqual(known, registerOf(CATALOG, known.bits, known.nextBit));
  });
}
