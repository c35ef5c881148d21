// Random values of the core for the laws: small alphabets, so that things really meet.

import {
  compileCatalog,
  type Key,
  maskOf,
  type Organization,
  type PermissionName,
  parseAddress,
  parseNetwork,
  type Register,
  type Requirement,
  register,
} from "../../src/core/index.js";
import type { Random } from "./random.js";

function made(
  names: readonly string[],
  levels: readonly string[],
  implies: Record<string, readonly string[]>,
): Register {
  const resources = names.map((name) => ({ name, title: name, group: "Group", levels }));
  return register(compileCatalog({ name: "laws", resources, levels, implies }));
}

export const PLAIN = made(["a", "b", "c"], ["read", "write"], {});
export const IMPLYING = made(["a", "b"], ["read", "write", "admin"], { write: ["read"], admin: ["write"] });
export const NOW = 1_000_000;
export const NETWORKS = ["10.0.0.0/8", "10.1.0.0/16", "10.1.2.3", "2001:db8::/32", "0.0.0.0/0"].map(parseNetwork);
export const ADDRESSES = [undefined, ...["10.1.2.3", "10.9.9.9", "203.0.113.1", "2001:db8::1"].map(parseAddress)];

/** The permissions of the platform alone. */
export function platform({ bits }: Register): readonly PermissionName[] {
  return [...bits.keys()].filter((name) => !name.startsWith("scopekey_"));
}

export function anyTime(random: Random): number {
  return NOW - 3 + random.below(7);
}

export function anyRequirement(random: Random, names: readonly PermissionName[]): Requirement {
  return { anyOf: random.list(3, () => random.list(2, () => random.pick(names))) };
}

export function anyKey(random: Random, known: Register): Key {
  const grant = () => maskOf(known, random.some(platform(known)));
  const sometimes = () => (random.chance() ? anyTime(random) : undefined);
  return {
    id: "key_000000000000",
    organization: "org_000000000000",
    environment: "live",
    grant: grant(),
    created: NOW - 2,
    expires: sometimes(),
    networks: random.list(2, () => random.pick(NETWORKS)),
    revoked: random.below(5) === 0 ? NOW : undefined,
    probation: grant(),
    probationEnds: sometimes(),
    extensions: random.below(8) === 0 ? ["objects"] : [],
  };
}

export function anyOrganization(random: Random): Organization {
  return {
    id: "org_000000000000",
    suspended: random.below(5) === 0,
    maxKeyAge: random.chance() ? random.below(7) : undefined,
    neverExpires: random.chance(),
  };
}
