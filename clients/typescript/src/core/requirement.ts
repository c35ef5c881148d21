// What an operation needs: any one of several sets of permissions, each set needed whole.

import { type Catalog, findPermission, isObserving } from "./catalog.js";
import { barest, countOf, type Mask, maskOf, namesOf, type Register } from "./grant.js";
import type { PermissionName } from "./permission.js";

/**
 * Alternatives, in the order they were written.
 *
 * `[[]]` is met by any live key; `[]` by nobody: an empty policy means no.
 */
export interface Requirement {
  readonly anyOf: readonly (readonly PermissionName[])[];
}

/** A requirement with its masks under one register: what a decision reads. Made by `compileRequirement`. */
export interface Need {
  readonly requirement: Requirement;
  readonly masks: readonly Mask[];
  /** Whether each alternative only looks. */
  readonly observes: boolean;
}

/** Met by any live key. */
export const ANY_LIVE_KEY: Requirement = { anyOf: [[]] };

/** Reads alternatives given by name; aliases become the catalog's names. Throws UnknownPermissionError. */
export function parseRequirement(anyOf: readonly (readonly string[])[], catalog: Catalog): Requirement {
  return { anyOf: anyOf.map((names) => names.map((name) => findPermission(catalog, name).name)) };
}

/** This one and the other one: every pair of alternatives joined, each permission once, equal pairs once. */
export function bothOf(one: Requirement, other: Requirement): Requirement {
  const pairs = one.anyOf.flatMap((mine) => other.anyOf.map((theirs) => [...new Set([...mine, ...theirs])]));
  return { anyOf: [...new Map(pairs.map((pair) => [pair.join(" "), pair])).values()] };
}

/** A requirement as a header field tells it: permissions parted by `, `, alternatives by `; `. */
export function requirementText(requirement: Requirement): string {
  return requirement.anyOf.map((names) => names.join(", ")).join("; ");
}

/** Gives a requirement its masks. Throws UnknownPermissionError for a permission the catalog does not have. */
export function compileRequirement(requirement: Requirement, register: Register): Need {
  const { catalog } = register;
  const permissions = requirement.anyOf.flat().map((name) => findPermission(catalog, name));
  return {
    requirement,
    masks: requirement.anyOf.map((names) => maskOf(register, names)),
    // A requirement of nothing says nothing about what is done: it does not count as looking.
    observes: permissions.length > 0 && permissions.every((permission) => isObserving(catalog, permission)),
  };
}

/** The position of the first alternative that is held whole; undefined where none is. `held` has everything implied. */
export function satisfied(need: Need, held: Mask): number | undefined {
  const at = need.masks.findIndex((mask) => (mask & held) === mask);
  return at < 0 ? undefined : at;
}

/**
 * The fewest permissions that would satisfy a need, in the order of the bits; of equally short ways the first written.
 *
 * `held` has everything implied, and what a missing one would bring along is not missing beside it. Nothing where the
 * need is satisfied, and where nothing could satisfy it.
 */
export function missing(need: Need, held: Mask, register: Register): readonly PermissionName[] {
  const [first, ...others] = need.masks.map((mask) => barest(register, mask & ~held));
  if (first === undefined) return [];
  return namesOf(
    register,
    others.reduce((fewest, mask) => (countOf(mask) < countOf(fewest) ? mask : fewest), first),
  );
}
