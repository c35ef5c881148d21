// Writes docs/reference/typescript.md from the sources' own comments and types; with `--check` only says whether it is up to date.
import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import ts from "typescript";

const PAGE = new URL("../../../docs/reference/typescript.md", import.meta.url);
const ENTRIES = {
  scopekey: ["src/index.ts", "The client, its errors, and what Scopekey's own API takes and gives."],
  "scopekey/express": ["src/guard/express.ts", "Guards routes of Express ([guide](../guides/node.md#express))."],
  "scopekey/fastify": ["src/guard/fastify.ts", "Guards routes of Fastify ([guide](../guides/node.md#fastify))."],
  "scopekey/hono": ["src/guard/hono.ts", "Guards routes of Hono ([guide](../guides/node.md#hono))."],
  "scopekey/fetch": [
    "src/guard/fetch.ts",
    "Guards handlers of the Fetch API ([guide](../guides/node.md#handlers-of-the-fetch-api)).",
  ],
  "scopekey/core": [
    "src/core/index.ts",
    "The security model as pure functions, which pass the [vectors](../../spec/vectors/README.md).",
  ],
};
const ABOUT = `# TypeScript

<!-- Generated from the comments of \`clients/typescript/src\`. Do not edit: run \`make docs\`. -->

What a program may rely on; everything else may move between releases. Times are milliseconds since the epoch where nothing
else is said. What the client does, and what it does unasked, is in [Clients](../../spec/clients.md).
`;
const FORMAT = ts.TypeFormatFlags.NoTruncation | ts.TypeFormatFlags.UseAliasDefinedOutsideCurrentScope;

const root = fileURLToPath(new URL("..", import.meta.url));
const config = ts.getParsedCommandLineOfConfigFile(
  `${root}tsconfig.build.json`,
  {},
  {
    ...ts.sys,
    onUnRecoverableConfigFileDiagnostic: (told) => {
      throw new Error(String(told.messageText));
    },
  },
);
const program = ts.createProgram(config.fileNames, config.options);
const checker = program.getTypeChecker();

const parts = [ABOUT];
for (const [name, [file, about]] of Object.entries(ENTRIES)) {
  const source = program.getSourceFile(root + file);
  parts.push(`## ${name}\n\n${about}\n`);
  const found = checker.getExportsOfModule(checker.getSymbolAtLocation(source)).map((one) => [one.name, real(one)]);
  for (const [exported, symbol] of found.sort(([a], [b]) => order(a, b))) parts.push(described(name, exported, symbol));
}
const text = parts.join("\n");
if (!process.argv.includes("--check")) {
  await writeFile(PAGE, text);
} else if (text !== (await readFile(PAGE, "utf8").catch(() => ""))) {
  console.error("docs/reference/typescript.md is out of date: run `make docs`");
  process.exit(1);
}

function real(symbol) {
  return symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
}

function order(a, b) {
  // Classes and functions before types would need their kinds: names in the order of the alphabet are found as quickly.
  return a.toLowerCase() < b.toLowerCase() ? -1 : 1;
}

function described(module, name, symbol) {
  const declaration = symbol.declarations[0];
  const lines = [`### ${module}: ${name}`, "", "```text", signature(name, symbol, declaration), "```", ""];
  const told = docs(symbol);
  if (told) lines.push(told, "");
  const rows = membersOf(symbol, declaration).filter(isPublic).map(member).filter(Boolean);
  if (rows.length) lines.push(...rows, "");
  return lines.join("\n");
}

/** Statics and calls, then what it has and inherits, as far as it is written here. */
function membersOf(symbol, declaration) {
  if (!ts.isClassDeclaration(declaration) && !ts.isInterfaceDeclaration(declaration)) return [];
  const first = declaration.members.filter((one) => ts.isCallSignatureDeclaration(one) || isStatic(one));
  const properties = checker
    .getPropertiesOfType(checker.getDeclaredTypeOfSymbol(symbol))
    .map((one) => one.declarations?.[0]);
  return [...first, ...properties.filter((one) => one?.getSourceFile().fileName.startsWith(`${root}src/`))];
}

function isStatic(node) {
  return Boolean(ts.getCombinedModifierFlags(node) & ts.ModifierFlags.Static);
}

function signature(name, symbol, declaration) {
  if (ts.isFunctionDeclaration(declaration)) return `function ${name}${written(declaration)}`;
  if (ts.isClassDeclaration(declaration)) {
    const made = declaration.members.find(ts.isConstructorDeclaration);
    const parameters = made ? written(made) : "()";
    return `class ${name}${parameters}`;
  }
  if (ts.isInterfaceDeclaration(declaration)) return `interface ${name}`;
  if (ts.isTypeAliasDeclaration(declaration)) return plain(declaration.getText().replace(/^export /, ""));
  return `const ${name}: ${short(checker.typeToString(checker.getTypeOfSymbol(symbol), declaration, FORMAT))}`;
}

function member(node) {
  if (ts.isConstructorDeclaration(node)) return "";
  if (ts.isCallSignatureDeclaration(node)) return row(written(node), node);
  const name = node.name?.getText() ?? "";
  if (!name || name.startsWith("#") || name.startsWith("[") || name === "toJSON" || name === "toString") return "";
  if (ts.isMethodDeclaration(node) || ts.isMethodSignature(node)) {
    return row(`${name}${written(node)}`, node);
  }
  const type = node.type
    ? plain(node.type.getText())
    : checker.typeToString(checker.getTypeAtLocation(node), node, FORMAT);
  return row(`${name}${node.questionToken ? "?" : ""}: ${type}`, node);
}

function row(text, node) {
  const told = node.name
    ? docs(checker.getSymbolAtLocation(node.name))
    : plain(ts.getJSDocCommentsAndTags(node)[0]?.comment ?? "");
  return `- \`${text}\`${told ? `: ${told.split("\n\n")[0]}` : ""}`;
}

/** Parameters and result as they are written, since the compiler would spell every type out. */
function written(node) {
  const generic = node.typeParameters ? `<${node.typeParameters.map((one) => one.getText()).join(", ")}>` : "";
  const taken = node.parameters.map((one) => plain(one.getText()).replace(/^(private|public|readonly|override) /g, ""));
  const given = node.type ? `: ${plain(node.type.getText())}` : "";
  return `${generic}(${taken.join(", ")})${given}`.replace(/\bapi\./g, "");
}

function docs(symbol) {
  return ts.displayPartsToString(symbol?.getDocumentationComment(checker) ?? []).trim();
}

function plain(text) {
  return String(text)
    .replace(/\/\*\*?[\s\S]*?\*\//g, "")
    .replace(/\s+/g, " ")
    .trim();
}

function short(text) {
  return text.length > 400 ? `${text.slice(0, text.indexOf("{", 1) > 0 ? 200 : 400)}…` : text;
}

function isPublic(node) {
  const hidden = ts.ModifierFlags.Private | ts.ModifierFlags.Protected;
  return !(ts.getCombinedModifierFlags(node) & hidden);
}
