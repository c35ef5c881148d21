import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import { test } from "node:test";
import { type Mixed, parameterNames, parseOperation, parseTemplate, ruleFaults } from "../../src/core/index.js";
import { mixedValues } from "../../src/core/template.js";

for (const [path, words] of [
  ["a", "must begin with a slash"],
  ["/a?b", "a query or a fragment"],
  ["/a ", "ends with a space"],
  ["/a//b", "an empty segment"],
  ["/a/../b", "a dot segment"],
  ["/a;b", "semicolon"],
  ["/{a", "an unclosed brace"],
  ["/{a b}", "is no parameter"],
  ["/{a-}{b}", "nothing between them"],
  ["/x{a*}", "a segment of its own"],
  ["/{a*}/{b*}", "two parameters that span"],
  ["/%ff", "does not decode to UTF-8"],
] as const) {
  test(`what is no template says why and which: ${path}`, () => {
    throws(
      () => parseTemplate(path),
      (error: Error) => {
        deepStrictEqual(
          ["InvalidTemplateError", true, true],
          [error.name, error.message.includes(words), error.message.includes(JSON.stringify(path))],
        );
        return true;
      },
    );
  });
}

test("the names of parameters stand in order", () => {
  deepStrictEqual(["a", "b-c", "d.e", "f"], parameterNames(parseTemplate("/{a}/x{b-c}.{d.e}/{f*}")));
});

for (const [values, segment] of [
  [["a", "b"], "xa.b"],
  [["a.b", "c"], "xa.b.c"],
  [[".", "."], "x..."],
  [["\u{1F511}", "\u{1F512}"], "x\u{1F511}.\u{1F512}"],
  [undefined, "x.b"],
  [undefined, "xa."],
  [undefined, "a.b"],
  [undefined, ""],
] as const) {
  test(`the parts of a mixed segment are as long as possible from the left, and never empty: ${segment}`, () => {
    deepStrictEqual(values, mixedValues(parseTemplate("/x{a}.{b}").segments[0] as Mixed, segment));
  });
}

test("only the names of parameters make no difference to which operation it is", () => {
  const faults = (...paths: readonly string[]) =>
    ruleFaults({ rules: paths.map((path) => ({ operation: parseOperation(`GET ${path}`), requirement: "public" })) });
  strictEqual(1, faults("/a/{x}/{y}b/{z*}", "/%61/{u}/{v}b/{w*}").length);
  deepStrictEqual([], faults("/{x}", "/{x*}", "/{x}/", "/x", "/x{x}", "/{x}x", "/%7Bx%7D"));
});
