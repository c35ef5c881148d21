// What Scopekey's own API takes and gives, by plain names. Field names are the API's own.

import type { components, operations } from "../generated/api.js";
import type { Permission } from "../permissions.js";

type Schemas = components["schemas"];
type Query<Name extends keyof operations> = NonNullable<operations[Name]["parameters"]["query"]>;
type Holding<Body> = Omit<Body, "permissions"> & { permissions?: readonly Permission[] | null };

export type Key = Schemas["KeyAnswer"];
/** `secret` is there once: null where an answer was lost, and this one repeats it. Rotate the key to get another. */
export type IssuedKey = Schemas["IssuedKey"];
export type Whoami = Schemas["WhoamiAnswer"];
export type Reach = Schemas["ReachAnswer"];
export type Usage = Schemas["UsageAnswer"];
export type Verification = Schemas["VerifyAnswer"];
export type Organization = Schemas["OrganizationAnswer"];
export type Permissions = Schemas["PermissionsAnswer"];
export type Presets = Schemas["PresetsAnswer"];
export type LoggedEntry = Schemas["LoggedEntry"];
export type ProvenEntry = Schemas["ProvenEntry"];

export type CreateKey = Holding<Schemas["CreateKey"]>;
export type EditKey = Holding<Schemas["EditKey"]>;
export type RotateKey = Schemas["RotateKey"];
export type RevokeKey = Schemas["RevokeKey"];
/** Either permissions, all of which are asked for, or an operation: `GET /datasets/42`. */
export type Verify = Holding<Schemas["Verify"]>;
export type CreateOrganization = Schemas["CreateOrganization"];
export type EditOrganization = Schemas["EditOrganization"];

/** Which keys to list. */
export type KeyQuery = Omit<Query<"get_keys_v1_keys_get">, "cursor" | "permission"> & { permission?: Permission };
/** How many organizations a page has. */
export interface OrganizationQuery {
  limit?: number;
}
/** Which entries of the log to find. */
export type EntryQuery = Omit<Query<"get_entries_v1_audit_entries_get">, "cursor">;
/** Which entries of the log to fetch, and as what. */
export type ExportQuery = Query<"get_export_v1_audit_export_get">;
