// Reads the rows of spec/vectors, and makes the values of the core that they speak of.

import { readFileSync } from "node:fs";
import {
  type Catalog,
  compileCatalog,
  parseOperation,
  parseRequirement,
  type Register,
  type RuleTable,
} from "../../src/core/index.js";

/** A file of spec/vectors, as what the test says it is. */
export function vectors<File>(name: string): File {
  return JSON.parse(readFileSync(new URL(`../../../../../spec/vectors/${name}`, import.meta.url), "utf8")) as File;
}

/** Rows that there are: a list that has become empty tests nothing. */
export function some<Row>(rows: readonly Row[]): readonly Row[] {
  if (rows.length === 0) throw new Error("The vectors have no such rows.");
  return rows;
}

export interface WrittenCatalog {
  readonly resources?: readonly (readonly [string, string, string, readonly string[]])[];
  readonly levels?: readonly string[];
  readonly observes?: readonly string[];
  readonly implies?: Readonly<Record<string, readonly string[]>>;
  readonly own?: Readonly<Record<string, string>>;
}

export function catalogOf({ resources = [], ...written }: WrittenCatalog): Catalog {
  return compileCatalog({
    name: "vectors",
    resources: resources.map(([name, title, group, levels]) => ({ name, title, group, levels })),
    ...written,
  });
}

export interface WrittenRule {
  readonly operation: string;
  readonly public?: boolean;
  readonly any_of?: readonly (readonly string[])[];
  readonly object?: string;
  readonly mode?: "enforce" | "report";
}

export function tableOf(rules: readonly WrittenRule[], register: Register, corsPreflight = false): RuleTable {
  return {
    corsPreflight,
    rules: rules.map((row) => ({
      operation: parseOperation(row.operation),
      requirement: row.public ? "public" : parseRequirement(row.any_of ?? [], register.catalog),
      object: row.object,
      mode: row.mode,
    })),
  };
}
