import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { test } from "node:test";
import {
  compileRequirement,
  type Decision,
  decide,
  type Key,
  maskOf,
  type Organization,
  parseAddress,
  parseNetwork,
  parseRequirement,
  type Register,
  register,
} from "../../src/core/index.js";
import { catalogOf, some, vectors, type WrittenCatalog } from "./vectors.js";

interface WrittenKey {
  readonly holds: readonly string[];
  readonly created: number;
  readonly expires?: number;
  readonly networks?: readonly string[];
  readonly revoked?: number;
  readonly probation?: readonly string[];
  readonly probation_ends?: number;
  readonly extensions?: readonly string[];
}

interface WrittenOrganization {
  readonly suspended?: boolean;
  readonly max_key_age?: number;
  readonly never_expires?: boolean;
}

interface Row {
  readonly why: string;
  readonly catalog?: string;
  readonly key: WrittenKey | null;
  readonly secret: { readonly until?: number } | null;
  readonly organization: WrittenOrganization | null;
  readonly any_of: readonly (readonly string[])[] | null;
  readonly now: number;
  readonly address: string | null;
  readonly allowed?: true;
  readonly used?: number;
  readonly denied?: string;
  readonly missing?: readonly string[];
  readonly ends?: number | null;
}

const FILE = vectors<{ catalogs: Record<string, WrittenCatalog>; rows: readonly Row[] }>("decisions.json");
const REGISTERS = new Map(Object.entries(FILE.catalogs).map(([name, catalog]) => [name, register(catalogOf(catalog))]));

function keyOf(written: WrittenKey, known: Register): Key {
  return {
    id: "key_0123456789AB",
    organization: "org_abcdefABCDEF",
    environment: "live",
    grant: maskOf(known, written.holds),
    created: written.created,
    expires: written.expires,
    networks: (written.networks ?? []).map(parseNetwork),
    revoked: written.revoked,
    probation: maskOf(known, written.probation ?? []),
    probationEnds: written.probation_ends,
    extensions: written.extensions ?? [],
  };
}

function organizationOf(written: WrittenOrganization): Organization {
  return {
    id: "org_abcdefABCDEF",
    suspended: written.suspended ?? false,
    maxKeyAge: written.max_key_age,
    neverExpires: written.never_expires ?? false,
  };
}

function decided(row: Row): Decision {
  const known = REGISTERS.get(row.catalog ?? "default");
  if (known === undefined) throw new Error(`There is no catalog ${row.catalog}.`);
  return decide({
    key: row.key === null ? undefined : keyOf(row.key, known),
    secret: row.secret === null ? undefined : { number: 1, until: row.secret.until },
    organization: row.organization === null ? undefined : organizationOf(row.organization),
    need: row.any_of === null ? undefined : compileRequirement(parseRequirement(row.any_of, known.catalog), known),
    register: known,
    now: row.now,
    address: row.address === null ? undefined : parseAddress(row.address),
  });
}

for (const row of some(FILE.rows)) {
  test(`each call is decided: ${row.why}`, () => {
    const decision = decided(row);
    const ends = decision.ends ?? null;
    const facts: Partial<Row> = decision.allowed
      ? { allowed: true, used: decision.used, ends }
      : { denied: decision.reason, missing: decision.missing, ends };
    const told = Object.entries(row).filter(([name]) =>
      ["allowed", "used", "denied", "missing", "ends"].includes(name),
    );
    deepStrictEqual(
      Object.fromEntries(told),
      Object.fromEntries(told.map(([name]) => [name, facts[name as keyof Row]])),
    );
  });

  test(`only who sent the secret is told about the key: ${row.why}`, () => {
    strictEqual(row.denied !== "unknown_key", decided(row).key !== undefined);
  });
}

test("a time that is no number ends a key and takes away what is on probation: it never lets through", () => {
  const row = some(FILE.rows).find(
    (one) => one.allowed && one.key !== null && one.secret !== null && one.any_of?.[0]?.length,
  );
  if (row?.key == null || row.secret === null) throw new Error("No row is allowed for what its key holds.");
  strictEqual(true, decided(row).allowed);
  const never = Number.NaN;
  for (const spoilt of [
    { ...row, key: { ...row.key, expires: never } },
    { ...row, secret: { ...row.secret, until: never } },
    { ...row, key: { ...row.key, expires: row.now + 1 }, now: never },
    { ...row, key: { ...row.key, probation: row.key.holds, probation_ends: never } },
  ]) {
    strictEqual(false, decided(spoilt).allowed);
  }
});
