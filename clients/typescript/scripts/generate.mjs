// Writes src/generated/api.ts from spec/openapi.json; with `--check` only says whether it is up to date.
import { readFile, writeFile } from "node:fs/promises";
import openapiTS, { astToString } from "openapi-typescript";

const DOCUMENT = new URL("../../../spec/openapi.json", import.meta.url);
const MODULE = new URL("../src/generated/api.ts", import.meta.url);
const HEAD = "// Generated from spec/openapi.json by `npm run generate`. Change the server's routes instead.\n\n";

const text = HEAD + astToString(await openapiTS(DOCUMENT, { defaultNonNullable: false }));
if (!process.argv.includes("--check")) {
  await writeFile(MODULE, text);
} else if (text !== (await readFile(MODULE, "utf8").catch(() => ""))) {
  console.error("src/generated/api.ts is out of date: run `npm run generate`");
  process.exit(1);
}
