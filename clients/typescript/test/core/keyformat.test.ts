import { deepStrictEqual, ok, strictEqual, throws } from "node:assert/strict";
import { test } from "node:test";
import {
  base62,
  checksum,
  isIntact,
  isKeyId,
  isOrganizationId,
  KeyFormatError,
  type KeyId,
  keyFormat,
  keyId,
  keyPattern,
  maskKey,
  organizationId,
  parseKey,
  printKey,
  publicId,
  withoutSecrets,
} from "../../src/core/index.js";
import { Random } from "./random.js";

const KEY_ID: KeyId = "key_0123456789AB";
const PRINTED = printKey({ environment: "live", keyId: KEY_ID, random: new Uint8Array(32) });

for (const prefix of ["", "a", "a".repeat(13), "SCK", "s_k", "s k", "sck\n"]) {
  test(`a prefix is 2 to 12 small letters and digits, and not ${JSON.stringify(prefix)}`, () => {
    throws(() => keyFormat(prefix, ["live"]), KeyFormatError);
  });
}

for (const environments of [[], ["l"], ["live", "Test"], ["a_b"], ["a".repeat(17)]]) {
  test(`environments are 2 to 16 small letters and digits, and not ${JSON.stringify(environments)}`, () => {
    throws(() => keyFormat("sck", environments), { name: "KeyFormatError", message: /environment/ });
  });
}

for (const [environment, id, length] of [
  ["prod", KEY_ID, 32],
  ["live", "key_0123456789A", 32],
  ["live", "0123456789AB" as KeyId, 32],
  ["live", "org_0123456789AB" as KeyId, 32],
  ["live", KEY_ID, 31],
  ["live", KEY_ID, 33],
] as const) {
  test(`nothing is printed that would not be read: ${environment}, ${id}, ${length} bytes`, () => {
    throws(() => printKey({ environment, keyId: id, random: new Uint8Array(length) }), {
      name: "KeyFormatError",
      message: /environment|id of a key|32 random bytes/,
    });
  });
}

test("what is printed is read again, is intact, and shows no secret when masked", () => {
  const random = new Random(3);
  for (let at = 0; at < 300; at += 1) {
    const format = keyFormat(random.pick(["sck", "dp", "a1b2c3d4e5f6"]), ["live", "test"]);
    const parts = {
      environment: random.pick(["live", "test"]),
      keyId: keyId(random.bytes(16)),
      random: random.bytes(32),
    };
    const text = printKey(parts, format);
    deepStrictEqual({ text, environment: parts.environment, keyId: parts.keyId }, parseKey(text, format));
    ok(isIntact(text));
    strictEqual(`${format.prefix}_${parts.environment}_${parts.keyId.slice(4)}…`, maskKey(text));
  }
});

test("what holds more than ASCII is no key, whatever it ends in", () => {
  strictEqual(false, isIntact(`caf\u00e9${checksum("caf\u00e9")}`));
});

test("a checksum notices every changed character", () => {
  for (let at = 0; at < PRINTED.length; at += 1) {
    const other = PRINTED[at] === "0" ? "1" : "0";
    strictEqual(false, isIntact(PRINTED.slice(0, at) + other + PRINTED.slice(at + 1)));
  }
});

for (const text of [
  "",
  "…",
  PRINTED.slice(0, -1),
  `${PRINTED}0`,
  `${PRINTED}\n`,
  ` ${PRINTED}`,
  "hunter2",
  "sck_live_",
]) {
  test(`of what is no key nothing is shown: ${JSON.stringify(text)}`, () => {
    strictEqual("…", maskKey(text));
  });
}

for (const [expected, text] of [
  ["{id}", "{key}"],
  ["a={id}&b={id}", "a={key}&b={key}"],
  ["{id}", "{key}x"],
  ["{id}", "{cut}"],
  ["sck_live_0123456789AB", "sck_live_0123456789AB"],
  ["other_live_0123456789ABxyz", "other_live_0123456789ABxyz"],
  ["{id}", "{id}"],
  ["", ""],
] as const) {
  test(`of a key in a text only its id is left: ${text}`, () => {
    const written = (words: string) =>
      words.replaceAll("{key}", PRINTED).replaceAll("{cut}", PRINTED.slice(0, -1)).replaceAll("{id}", KEY_ID);
    strictEqual(written(expected), withoutSecrets(written(text)));
  });
}

test("the pattern finds a key in a text and nothing else", () => {
  const others = `x${PRINTED} ${PRINTED}0 ${PRINTED.slice(0, -1)} sck_prod_${PRINTED.slice(9)}`;
  const text = `KEY=${PRINTED}\n${others} (${PRINTED})`;
  deepStrictEqual([PRINTED, PRINTED], text.match(new RegExp(keyPattern(), "g")));
});

test("ids say what they name", () => {
  strictEqual("key_000000000000", keyId(new Uint8Array(16)));
  strictEqual("org_000000000000", organizationId(new Uint8Array(16)));
  deepStrictEqual([true, false, false], ["key_000000000000", "key_000000000000\n", "org_000000000000"].map(isKeyId));
  deepStrictEqual([true, false], ["org_000000000000", "org_00000000000-"].map(isOrganizationId));
});

test("numbers that do not fit are refused", () => {
  throws(() => base62(62n ** 6n, 6), RangeError);
  throws(() => base62(-1n, 6), RangeError);
  throws(() => publicId(new Uint8Array(15)), RangeError);
});
