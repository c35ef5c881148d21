// Scopekey's own resources, which every catalog has: what guards Scopekey's API itself.

import type { Resource } from "./catalog.js";

/** No resource of a platform may begin so. */
export const RESERVED_PREFIX = "scopekey_";
/** The levels that each of Scopekey's own resources offers, whatever `levels` says. */
export const OWN_LEVELS = ["read", "write"] as const;

const COVERS = {
  keys: "keys: list, create, edit, rotate, revoke",
  organizations: "tenants and their policy",
  audit: "the audit log and its proofs",
  usage: "what each permission is used for",
  reviews: "reviews of keys and their evidence",
  webhooks: "where events are announced",
  verifications: "asking about other keys",
  changes: "the change feed of verifiers",
  journal: "decisions handed in by verifiers",
};

/** Scopekey's own resources by the name that `own` calls them by, in the catalog's order. */
export const OWN_RESOURCES: ReadonlyMap<string, Resource> = new Map(
  Object.entries(COVERS).map(([own, covers]) => {
    const title = `Scopekey ${own.charAt(0).toUpperCase()}${own.slice(1)}`;
    return [own, { name: RESERVED_PREFIX + own, title, group: "Scopekey", levels: OWN_LEVELS, covers }];
  }),
);

/** Of these, what reaches across organizations: only keys of the operator may hold it. */
export const OPERATOR_ONLY: ReadonlySet<string> = new Set(["organizations", "changes", "journal"]);
