import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { test } from "node:test";
import { base62, isIntact, type KeyId, keyFormat, parseKey, printKey, publicId } from "../../src/core/index.js";
import { some, vectors } from "./vectors.js";

interface Keys {
  readonly alphabet: string;
  readonly base62: readonly { number: string; length: number; text: string }[];
  readonly ids: readonly { random: string; id: string; why: string }[];
  readonly print: readonly {
    prefix: string;
    environment: string;
    key_id: KeyId;
    random: string;
    printed: string;
    checksum: string;
    why: string;
  }[];
  readonly parse: readonly {
    prefix: string;
    environments: readonly string[];
    text: string;
    parsed: { environment: string; key_id: KeyId } | null;
    why: string;
  }[];
  readonly intact: readonly { text: string; intact: boolean; why: string }[];
}

const FILE = vectors<Keys>("keys.json");

function bytes(hex: string): Uint8Array {
  return Buffer.from(hex, "hex");
}

test("the alphabet is digits, then capitals, then small letters", () => {
  strictEqual(FILE.alphabet, Array.from({ length: 62 }, (_, digit) => base62(BigInt(digit), 1)).join(""));
});

for (const row of some(FILE.base62)) {
  test(`a number is written in base62: ${row.number}`, () => {
    strictEqual(row.text, base62(BigInt(row.number), row.length));
  });
}

for (const row of some(FILE.ids)) {
  test(`an id is made from random bytes: ${row.why}`, () => {
    strictEqual(row.id, publicId(bytes(row.random)));
  });
}

for (const row of some(FILE.print)) {
  test(`a key is printed: ${row.why}`, () => {
    const parts = { environment: row.environment, keyId: row.key_id, random: bytes(row.random) };
    const printed = printKey(parts, keyFormat(row.prefix, [row.environment]));
    deepStrictEqual([row.printed, row.checksum], [printed, printed.slice(-6)]);
  });
}

for (const row of some(FILE.parse)) {
  test(`a text has the shape of a key or not: ${row.why}`, () => {
    const parsed = parseKey(row.text, keyFormat(row.prefix, row.environments));
    deepStrictEqual(row.parsed, parsed ? { environment: parsed.environment, key_id: parsed.keyId } : null);
  });
}

for (const row of some(FILE.intact)) {
  test(`a text ends in its checksum or not: ${row.why}`, () => {
    strictEqual(row.intact, isIntact(row.text));
  });
}
