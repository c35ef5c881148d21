// A decision is a value: allowed, or denied with the reason. Never an exception.

import type { Key, Secret } from "./key.js";
import type { PermissionName } from "./permission.js";
import type { Need } from "./requirement.js";

/** Why not, in the order in which refusals are told when several apply. Public codes. */
export const DENIAL_REASONS = [
  "unreadable_target",
  "no_credential",
  "ambiguous_credential",
  "malformed_key",
  "stale_replica",
  "unknown_key",
  "revoked_key",
  "expired_key",
  "address_not_allowed",
  "unlisted_operation",
  "missing_permission",
  "journal_unavailable",
] as const;

/** A code of `DENIAL_REASONS`. */
export type DenialReason = (typeof DENIAL_REASONS)[number];

/** Yes. */
export interface Allowed {
  readonly allowed: true;
  readonly key: Key;
  readonly secret: Secret;
  readonly need: Need;
  /** The position of the alternative that was satisfied. */
  readonly used: number;
  /** When the key ends, in milliseconds since the Unix epoch. */
  readonly ends?: number | undefined;
}

/** No, and why. */
export interface Denied {
  readonly allowed: false;
  readonly reason: DenialReason;
  /** Set only where its secret matched: nothing is told to anybody else. */
  readonly key?: Key | undefined;
  readonly secret?: Secret | undefined;
  readonly need?: Need | undefined;
  /** What the key would have to hold besides; empty unless the reason is `missing_permission`. */
  readonly missing: readonly PermissionName[];
  readonly ends?: number | undefined;
}

/** Ask for its `allowed`: the object itself is true either way. */
export type Decision = Allowed | Denied;
