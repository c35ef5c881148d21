// The package as its users get it: packed, installed into an empty project, type-checked and run there.

import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { VERSION } from "../src/client/version.js";
import { COMMAND } from "./support/server.js";

const run = promisify(execFile);
const PACKAGE = resolve(import.meta.dirname, "../..");
const TSC = join(PACKAGE, "node_modules/typescript/bin/tsc");
const CATALOG = '[[resource]]\nname = "datasets"\ntitle = "Datasets"\n';
const USING = `import { MissingPermissionError, ScopekeyClient } from "scopekey";
import { guard } from "scopekey/fetch";
import { decide } from "scopekey/core";
const client = new ScopekeyClient({ apiKey: "key", environment: "http://127.0.0.1:9", retries: 0 });
const error: unknown = await client.request("GET", "/datasets").catch((reason: unknown) => reason);
console.log(error instanceof MissingPermissionError, (error as { code: string }).code, typeof guard, typeof decide);
`;

let folder: string;
let packed: { filename: string; version: string; files: { path: string }[] };
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "scopekey-package-"));
  await run("npm", ["run", "build", "--silent"], { cwd: PACKAGE });
  const told = await run("npm", ["pack", "--json", "--pack-destination", folder], { cwd: PACKAGE });
  [packed] = JSON.parse(told.stdout);
  await writeFile(join(folder, "package.json"), '{"name": "empty", "private": true, "type": "module"}');
  await run("npm", ["install", "--offline", "--no-audit", "--no-fund", join(folder, packed.filename)], { cwd: folder });
});
after(() => rm(folder, { recursive: true, force: true }));

/** Compile a program there; gives what the compiler says. */
async function compiled(name: string, text: string, ...options: string[]): Promise<string> {
  await writeFile(join(folder, name), text);
  const words = [TSC, "--strict", "--target", "es2022", "--noEmitOnError", ...options, name];
  return run("node", words, { cwd: folder }).then(
    () => "",
    (failed: { stdout: string }) => failed.stdout,
  );
}

test("what is packed is the built package and nothing else", () => {
  const others = packed.files.map((file) => file.path).filter((path) => !/^dist\/[\w/]+\.(js|d\.ts)$/.test(path));
  deepStrictEqual(["LICENSE", "README.md", "package.json"], others.sort());
  ok(packed.files.some((file) => file.path === "dist/index.d.ts"));
});

test("it says its own version", () => {
  strictEqual(packed.version, VERSION);
});

test("it brings nothing along", async () => {
  const lock = JSON.parse(await readFile(join(folder, "package-lock.json"), "utf8"));
  deepStrictEqual(["", "node_modules/scopekey"], Object.keys(lock.packages));
});

test("a program that uses it type-checks in an empty project, libraries too, and runs", async () => {
  strictEqual(
    "",
    await compiled("bundled.ts", USING, "--module", "esnext", "--moduleResolution", "bundler", "--noEmit"),
  );
  strictEqual("", await compiled("using.ts", USING, "--module", "nodenext"));
  const told = await run("node", ["using.js"], { cwd: folder });
  strictEqual("false unreachable function function\n", told.stdout);
});

test("a permission that the catalog does not have does not compile, in the client and in the guard", async () => {
  await writeFile(join(folder, "catalog.toml"), `name = "shop"\n${CATALOG}`);
  const module = await run(COMMAND, ["catalog", "typescript", join(folder, "catalog.toml")], { cwd: folder });
  await writeFile(join(folder, "permissions.ts"), module.stdout);
  const program = (name: string): string => `import "./permissions.js";
import { ScopekeyClient } from "scopekey";
import { guard } from "scopekey/express";
const client = ScopekeyClient.fromEnvironment();
await client.createKey({ name: "a", permissions: ["${name}"] });
guard({ gateway: "https://a.example", apiKey: "key" })("${name}");
`;
  strictEqual("", await compiled("right.ts", program("datasets:read"), "--module", "nodenext"));
  const said = await compiled("wrong.ts", program("datasets:raed"), "--module", "nodenext");
  match(said, /wrong\.ts\(5,.+"datasets:raed".+Did you mean '"datasets:read"'/);
  match(said, /wrong\.ts\(6,/);
});
