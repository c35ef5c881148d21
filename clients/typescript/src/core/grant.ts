// A grant: the set of permissions a key holds, and the bits that make it one integer.
//
// Additive: a grant is a set, its order never matters, and there is nothing in it that could deny. A mask is a bigint,
// since a catalog may have more permissions than a number has bits.

import { type Catalog, findPermission, impliedBy } from "./catalog.js";
import { RESERVED_PREFIX } from "./own.js";
import type { PermissionName } from "./permission.js";
import { quoted } from "./text.js";

/** Permissions as one integer; bit n is the permission that a register gave n. */
export type Mask = bigint;

/** A catalog whose permissions have their bits. Made by `register`, or from what a change feed says by `registerOf`. */
export interface Register {
  readonly catalog: Catalog;
  /** Each permission's bit: given once, in the order of first registration, and never reused, for keys carry it. */
  readonly bits: ReadonlyMap<PermissionName, number>;
  /** How many bits were ever given, those of permissions that are gone among them. */
  readonly nextBit: number;
  /** Permissions that the catalog no longer has, in order. */
  readonly retired: readonly PermissionName[];
  /** Every permission of the catalog. */
  readonly all: Mask;
  /** For each permission that implies others, its own mask and theirs, in the order of the bits. */
  readonly implied: readonly (readonly [Mask, Mask])[];
}

/** The bits are not those of the catalog. */
export class RegisterError extends Error {
  override readonly name = "RegisterError";
}

const MEND = "take the catalog and its bits from one and the same place";

/**
 * Gives every permission of a catalog its bit: the one it has, or the next that nobody ever had.
 *
 * A permission that was removed and comes back gets a new bit, so that keys which held the old one do not silently
 * hold it again. Where `own` joins or parts two names, the bit goes with one of them alone: the one it was written
 * under, if the catalog still has it.
 */
export function register(catalog: Catalog, previous?: Register): Register {
  const bits = new Map<PermissionName, number>();
  let nextBit = previous?.nextBit ?? 0;
  for (const { name } of catalog.permissions.values()) {
    const kept = previous === undefined ? undefined : previousBit(name, catalog, previous);
    bits.set(name, kept ?? nextBit);
    if (kept === undefined) nextBit += 1;
  }
  const before = previous === undefined ? [] : [...previous.bits.keys(), ...previous.retired];
  return registerOf(catalog, bits, nextBit, [...new Set(before)].filter((name) => !bits.has(name)).sort());
}

/**
 * A register whose bits are known already.
 *
 * Throws RegisterError where a permission of the catalog has no bit of its own, and UnknownPermissionError where a bit
 * is one's that the catalog does not have.
 */
export function registerOf(
  catalog: Catalog,
  bits: ReadonlyMap<PermissionName, number>,
  nextBit: number,
  retired: readonly PermissionName[] = [],
): Register {
  refuseBadBits(catalog, bits, nextBit);
  const ordered = [...bits].sort(([, one], [, other]) => one - other);
  const permissions = ordered.map(([name]) => findPermission(catalog, name));
  const implied = permissions.map((permission) => {
    const brought = impliedBy(catalog, permission).map(({ name }) => name);
    return [joined(bits, [permission.name]), joined(bits, brought)] as const;
  });
  return {
    catalog,
    bits: new Map(ordered),
    nextBit,
    retired,
    all: joined(bits, bits.keys()),
    implied: implied.filter(([, brings]) => brings !== 0n),
  };
}

/** Packs permissions given by name, aliases included. Throws UnknownPermissionError. */
export function maskOf(register: Register, names: Iterable<string>): Mask {
  return joined(
    register.bits,
    Array.from(names, (name) => findPermission(register.catalog, name).name),
  );
}

/** Unpacks a mask, in the order of the bits. Bits of permissions that are gone mean nothing. */
export function namesOf(register: Register, mask: Mask): readonly PermissionName[] {
  const names: PermissionName[] = [];
  for (const [name, at] of register.bits) if ((mask >> BigInt(at)) & 1n) names.push(name);
  return names;
}

/** Adds what the held permissions imply. The default catalog implies nothing, and this is `mask`. */
export function effective(register: Register, mask: Mask): Mask {
  let held = mask;
  for (const [permission, brings] of register.implied) if (held & permission) held |= brings;
  return held & register.all;
}

/** Leaves out what another permission of the mask brings along: whoever holds the rest holds all of it. */
export function barest(register: Register, mask: Mask): Mask {
  let rest = mask;
  // Levels that imply one another in a circle bring each other: the first one stays.
  for (const [permission, brings] of register.implied) if (rest & permission) rest &= ~brings;
  return rest;
}

/** How many permissions a mask has. */
export function countOf(mask: Mask): number {
  let count = 0;
  for (let rest = mask; rest !== 0n; rest &= rest - 1n) count += 1;
  return count;
}

function joined(bits: ReadonlyMap<PermissionName, number>, names: Iterable<PermissionName>): Mask {
  let mask = 0n;
  for (const name of names) {
    const at = bits.get(name);
    // Without its bit a permission that is needed would be needed no more.
    if (at === undefined) throw new RegisterError(`${quoted(name)} has no bit: ${MEND}.`);
    mask |= 1n << BigInt(at);
  }
  return mask;
}

function refuseBadBits(catalog: Catalog, bits: ReadonlyMap<PermissionName, number>, nextBit: number): void {
  const given = new Set<number>();
  for (const [name, at] of bits) {
    if (!Number.isInteger(at) || at < 0 || at >= nextBit || given.has(at)) {
      throw new RegisterError(`The bit of ${quoted(name)} is another one's, or was never given: ${MEND}.`);
    }
    given.add(at);
  }
  for (const { name } of catalog.permissions.values()) joined(bits, [name]);
}

/** The bit a permission already has: its own, or that of the alias that `own` gave or took. */
function previousBit(name: PermissionName, catalog: Catalog, previous: Register): number | undefined {
  const own = previous.bits.get(name);
  if (own !== undefined) return own;
  for (const alias of aliasesOf(name, catalog, previous)) {
    const kept = previous.bits.get(alias);
    // Another permission that goes on under its own name keeps its bit: sharing it would join the two.
    if (kept !== undefined && !catalog.permissions.has(alias)) return kept;
  }
  return undefined;
}

function* aliasesOf(name: PermissionName, catalog: Catalog, previous: Register): Generator<PermissionName> {
  const [resource, level] = name.split(":");
  for (const [own, alias] of previous.catalog.own) {
    if (resource === RESERVED_PREFIX + own) yield `${alias}:${level}`;
  }
  for (const [own, alias] of catalog.own) {
    if (resource === alias) yield `${RESERVED_PREFIX}${own}:${level}`;
  }
}
