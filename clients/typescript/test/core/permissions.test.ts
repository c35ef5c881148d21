import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import { test } from "node:test";
import {
  findPermission,
  InvalidPermissionError,
  parsePermission,
  type Register,
  register,
  UnknownPermissionError,
} from "../../src/core/index.js";
import { catalogOf, some, vectors, type WrittenCatalog } from "./vectors.js";

interface Permissions {
  readonly parse: readonly { text: string; resource?: string; level?: string; refused?: true; why: string }[];
  readonly catalogs: readonly { catalog: WrittenCatalog; permissions: readonly string[]; why: string }[];
  readonly aliases: readonly { catalog: WrittenCatalog; text: string; permission: string | null; why: string }[];
  readonly registers: readonly {
    name: string;
    steps: readonly { catalog: WrittenCatalog; bits: Readonly<Record<string, number>>; next_bit: number }[];
  }[];
}

const FILE = vectors<Permissions>("permissions.json");

for (const row of some(FILE.parse.filter(({ refused }) => refused === undefined))) {
  test(`a permission is a resource and a level: ${row.why}`, () => {
    deepStrictEqual({ name: row.text, resource: row.resource, level: row.level }, parsePermission(row.text));
  });
}

for (const row of some(FILE.parse.filter(({ refused }) => refused === true))) {
  test(`what is no permission is refused: ${row.why}`, () => {
    throws(() => parsePermission(row.text), InvalidPermissionError);
  });
}

for (const row of some(FILE.catalogs)) {
  test(`a catalog has its permissions in order: ${row.why}`, () => {
    deepStrictEqual(row.permissions, [...catalogOf(row.catalog).permissions.keys()]);
  });
}

for (const row of some(FILE.aliases)) {
  test(`an alias is the same permission: ${row.why}`, () => {
    const find = () => findPermission(catalogOf(row.catalog), row.text).name;
    if (row.permission === null) throws(find, UnknownPermissionError);
    else strictEqual(row.permission, find());
  });
}

for (const { name, steps } of some(FILE.registers)) {
  test(`a permission keeps its bit through a history of catalogs: ${name}`, () => {
    let known: Register | undefined;
    for (const step of some(steps)) {
      known = register(catalogOf(step.catalog), known);
      deepStrictEqual([step.bits, step.next_bit], [Object.fromEntries(known.bits), known.nextBit]);
    }
  });
}
