// A key: a named credential of an organization, as a verifier knows it.
//
// Times are whole milliseconds since the Unix epoch, UTC. Names, comments and digests are not here: who found the key
// has compared its secret.

import type { Mask } from "./grant.js";
import type { KeyId, OrganizationId } from "./ids.js";
import type { Network } from "./network.js";

/** One printed string of a key: the one that was sent. */
export interface Secret {
  /** Counts a key's secrets from 1. */
  readonly number: number;
  /** When the overlap of a rotation ends for it. */
  readonly until?: number | undefined;
}

/** The present state of one key. */
export interface Key {
  readonly id: KeyId;
  readonly organization: OrganizationId;
  readonly environment: string;
  readonly grant: Mask;
  readonly created: number;
  /** When it ends; undefined for never. */
  readonly expires?: number | undefined;
  /** Where it may be used from; none at all means anywhere. */
  readonly networks: readonly Network[];
  /** When it was revoked. */
  readonly revoked?: number | undefined;
  /** What is taken from the grant when probation ends. */
  readonly probation: Mask;
  readonly probationEnds?: number | undefined;
  /** Critical: who does not know one of them denies. */
  readonly extensions: readonly string[];
}

/** A tenant, and the policy that reaches its keys, also those already issued. */
export interface Organization {
  readonly id: OrganizationId;
  readonly suspended: boolean;
  /** Milliseconds since a key's creation; undefined for no cap. */
  readonly maxKeyAge?: number | undefined;
  /** A key may be made without an end, and the cap does not reach such a key. */
  readonly neverExpires: boolean;
}

/** The permissions a key holds now: all of its grant, less what a finished probation took. */
export function heldBy({ grant, probation, probationEnds }: Key, now: number): Mask {
  // A time that is no number takes away, and does not give.
  return probationEnds === undefined || now < probationEnds ? grant : grant & ~probation;
}

/**
 * When a key ends under its organization's policy; undefined for never.
 *
 * A lowered cap reaches keys already issued: it is applied here, not written into them.
 */
export function endOf({ created, expires }: Key, { maxKeyAge, neverExpires }: Organization): number | undefined {
  if (maxKeyAge === undefined || (expires === undefined && neverExpires)) return expires;
  return Math.min(expires ?? Number.POSITIVE_INFINITY, created + maxKeyAge);
}
