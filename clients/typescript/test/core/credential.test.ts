import { deepStrictEqual } from "node:assert/strict";
import { test } from "node:test";
import { type CredentialField, readCredential } from "../../src/core/index.js";
import { Random } from "./random.js";

type Line = readonly [CredentialField, string];
const A = "authorization";
const X = "x-api-key";

const ROWS: readonly (readonly ["absent" | "ambiguous" | { readonly key: string }, readonly Line[]])[] = [
  [{ key: "k" }, [[A, "Bearer k"]]],
  [{ key: "k" }, [[A, "bEARER   k "]]],
  [{ key: "k" }, [[A, "\t Bearer \t k\r\n"]]],
  [{ key: "k" }, [[X, " k "]]],
  [
    { key: "k" },
    [
      [A, "Basic dTpw"],
      [X, "k"],
    ],
  ],
  [{ key: "a b" }, [[A, "Bearer a b"]]],
  [{ key: "\xff" }, [[X, "\xff"]]],
  [{ key: "\xa0k\xa0" }, [[X, "\xa0k\xa0"]]],
  ["absent", []],
  ["absent", [[A, ""]]],
  ["absent", [[A, "Bearer"]]],
  ["absent", [[A, "Bearer "]]],
  ["absent", [[X, ""]]],
  ["absent", [[A, "Basic dTpw"]]],
  ["absent", [[A, 'Digest username="u", realm="r"']]],
  ["absent", [[A, "Bearerk"]]],
  ["absent", [[A, "Bearer\tk"]]],
  [
    "ambiguous",
    [
      [A, "Bearer k"],
      [X, "k"],
    ],
  ],
  [
    "ambiguous",
    [
      [A, "Bearer"],
      [X, "k"],
    ],
  ],
  [
    "ambiguous",
    [
      [A, "Bearer k"],
      [X, ""],
    ],
  ],
  [
    "ambiguous",
    [
      [A, "Bearer k"],
      [A, "Bearer k"],
    ],
  ],
  [
    "ambiguous",
    [
      [A, "Basic dTpw"],
      [A, "Bearer k"],
    ],
  ],
  [
    "ambiguous",
    [
      [A, "Basic dTpw"],
      [A, "Basic dTpw"],
      [X, "k"],
    ],
  ],
  [
    "ambiguous",
    [
      [X, "k"],
      [X, "k"],
    ],
  ],
  ["ambiguous", [[A, "Bearer k, Bearer l"]]],
  ["ambiguous", [[A, "Basic dTpw, Bearer l"]]],
  ["ambiguous", [[X, "k,l"]]],
];

function linesOf(lines: readonly Line[], wanted: CredentialField): readonly string[] {
  return lines.filter(([name]) => name === wanted).map(([, value]) => value);
}

for (const [expected, lines] of ROWS) {
  test(`a request has one key or none: ${JSON.stringify(lines)}`, () => {
    const credential = typeof expected === "string" ? { kind: expected } : { kind: "key", text: expected.key };
    deepStrictEqual(
      credential,
      readCredential((name) => linesOf(lines, name)),
    );
    // The same as an object, in which a field that was not sent is missing.
    const distinct = Object.fromEntries(lines.map(([name]) => [name, linesOf(lines, name)]));
    deepStrictEqual(credential, readCredential(distinct));
  });
}

test("two lines that were joined into one are two keys all the same", () => {
  const headers = new Headers([
    [A, "Bearer k"],
    [A, "Bearer l"],
  ]);
  const lines = (name: string) => [headers.get(name) ?? []].flat();
  deepStrictEqual({ kind: "ambiguous" }, readCredential(lines));
});

test("hostile bytes are a key, none or too many, and never an error", () => {
  const random = new Random(1);
  const seen = new Set<string>();
  const bytes = ["Bearer", "bearer", " ", ",", "k", "\0", "\xff", "\n", "Basic"];
  for (let at = 0; at < 5_000; at += 1) {
    const lines = random.list(2, (): Line => [random.pick([A, X]), random.list(5, () => random.pick(bytes)).join("")]);
    const credential = readCredential((name) => linesOf(lines, name));
    seen.add(credential.kind);
    if (credential.kind === "key")
      deepStrictEqual([false, false], [credential.text.includes(","), credential.text === ""]);
  }
  deepStrictEqual(["absent", "ambiguous", "key"], [...seen].sort());
});
