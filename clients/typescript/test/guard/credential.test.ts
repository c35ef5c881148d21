import { deepStrictEqual } from "node:assert/strict";
import { test } from "node:test";
import { sentKey } from "../../src/guard/credential.js";

const NO = { absent: "no_credential" };
const TWO = { absent: "ambiguous_credential" };

type Row = [why: string, expected: object, authorization: string[], own: string[]];
const ROWS: Row[] = [
  ["nothing is no key", NO, [], []],
  ["a bearer token is the key", { key: "abc" }, ["Bearer abc"], []],
  ["the scheme may be in any case, with spaces around", { key: "abc" }, [" bEARER   abc\t"], []],
  ["the other field is the key", { key: "abc" }, [], [" abc "]],
  ["another scheme leaves the other field", { key: "abc" }, ["Basic eDp5"], ["abc"]],
  ["another scheme is no key", NO, ["Basic eDp5"], []],
  ["a scheme without a token is no key", NO, ["Bearer"], []],
  ["an empty field is no key", NO, [], [""]],
  ["both fields are two keys", TWO, ["Bearer abc"], ["abc"]],
  ["a bearer and an empty field are two", TWO, ["Bearer abc"], [""]],
  ["two lines of Authorization are two keys", TWO, ["Bearer abc", "Bearer abc"], []],
  ["a line of another scheme counts as well", TWO, ["Basic eDp5", "Bearer abc"], []],
  ["two lines of X-API-Key are two keys", TWO, [], ["abc", "abc"]],
  ["joined bearers are two keys", TWO, ["Bearer abc, Bearer def"], []],
  ["a bearer joined to another scheme is two", TWO, ["Basic eDp5, bearer abc"], []],
  ["joined keys are two", TWO, [], ["abc, def"]],
  ["a digest with commas is no key", NO, ['Digest username="a", realm="b"'], []],
  ["a no-break space is part of what was sent", { key: "\u00a0abc" }, ["Bearer \u00a0abc"], []],
  ["the longest that is asked about", { key: "k".repeat(500) }, [], ["k".repeat(500)]],
  ["a longer one is no key's form", { absent: "malformed_key" }, [], ["k".repeat(501)]],
];

for (const [why, expected, authorization, own] of ROWS) {
  test(why, () => {
    deepStrictEqual(
      sentKey((name) => (name === "authorization" ? authorization : own)),
      expected,
    );
  });
}
