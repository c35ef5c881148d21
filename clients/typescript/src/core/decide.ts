// The whole security model: what a key must be, hold and come from for one call to be allowed (spec/decisions.md).
//
// Everything a decision depends on is an argument, `now` included; nothing is looked up. Permissions add up, nothing
// denies, and each resource and level is checked on its own.

import type { Decision, DenialReason, Denied } from "./decision.js";
import { effective, type Register } from "./grant.js";
import { endOf, heldBy, type Key, type Organization, type Secret } from "./key.js";
import { type Address, isWithin } from "./network.js";
import { missing, type Need, satisfied } from "./requirement.js";

/** One call of one key. Every part has to be named, so that none is forgotten. */
export interface Call {
  /** The record found by the presented id. */
  readonly key: Key | undefined;
  /** The one of its secrets that matched. */
  readonly secret: Secret | undefined;
  readonly organization: Organization | undefined;
  /** What the operation requires; undefined where it is not listed. */
  readonly need: Need | undefined;
  readonly register: Register;
  /** Milliseconds since the Unix epoch. */
  readonly now: number;
  readonly address: Address | undefined;
}

/** Decides one call of one key. The refusals stand in the order in which they are told. */
export function decide({ key, secret, organization, need, register, now, address }: Call): Decision {
  if (key === undefined || secret === undefined || organization === undefined) return denied("unknown_key");
  // An extension narrows a key in a way this version does not know: it must not be ignored.
  if (key.extensions.length > 0) return denied("stale_replica", { key, secret });
  if (key.revoked !== undefined || organization.suspended) return denied("revoked_key", { key, secret });

  const ends = endOf(key, organization);
  if (isOver(ends, now) || isOver(secret.until, now)) return denied("expired_key", { key, secret });
  if (key.networks.length > 0 && !isWithin(address, key.networks)) {
    return denied("address_not_allowed", { key, secret });
  }

  if (need === undefined) return denied("unlisted_operation", { key, secret, ends });
  const held = effective(register, heldBy(key, now));
  const used = satisfied(need, held);
  if (used !== undefined) return { allowed: true, key, secret, need, used, ends };
  return denied("missing_permission", { key, secret, need, ends, missing: missing(need, held, register) });
}

function isOver(end: number | undefined, now: number): boolean {
  // Asked this way round, a time that is no number ends a key and does not keep it.
  return end !== undefined && !(now < end);
}

function denied(reason: DenialReason, told: Partial<Omit<Denied, "allowed" | "reason">> = {}): Denied {
  return { missing: [], ...told, allowed: false, reason };
}
