import { deepStrictEqual } from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";

const CORE = new URL("../../src/core/", import.meta.url);

test("the core imports nothing but itself, so that it runs anywhere", () => {
  const modules = readdirSync(CORE).filter((name) => name.endsWith(".js"));
  const imported = modules.flatMap((name) =>
    [...readFileSync(new URL(name, CORE), "utf8").matchAll(/\b(?:from|import)\s*\(?\s*"([^"]+)"/g)].map(
      ([, from]) => from,
    ),
  );
  deepStrictEqual(
    [true, []],
    [imported.length > 0, imported.filter((from) => !/^\.\/[a-z0-9]+\.js$/.test(from ?? ""))],
  );
});
