// Writes src/generated/api.ts from spec/openapi.json; with `--check` only says whether it is up to date.
import { readFile, writeFile } from "node:fs/promises";
import openapiTS, { astToString } from "openapi-typescript";

const DOCUMENT = new URL("../../../spec/openapi.json", import.meta.url);
const MODULE = new URL("../src/generated/api.ts", import.meta.url);
const HEAD = "// Generated from spec/openapi.json by `npm run generate`. Change the server's routes instead.\n\n";

// Refusals are errors of the client's own (src/client/errors.ts): of each call what it takes and gives is enough.
const document = JSON.parse(await readFile(DOCUMENT, "utf8"));
for (const item of Object.values(document.paths)) {
  for (const { responses } of Object.values(item)) {
    for (const status of Object.keys(responses)) if (!status.startsWith("2")) delete responses[status];
  }
}
const text = HEAD + astToString(await openapiTS(document, { defaultNonNullable: false }));
if (!process.argv.includes("--check")) {
  await writeFile(MODULE, text);
} else if (text !== (await readFile(MODULE, "utf8").catch(() => ""))) {
  console.error("src/generated/api.ts is out of date: run `npm run generate`");
  process.exit(1);
}
