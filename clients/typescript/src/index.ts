export type { Environment, EnvironmentUrls } from "./client/address.js";
export type { RequestOptions } from "./client/call.js";
export { ScopekeyClient } from "./client/client.js";
export {
  ApiError,
  type ConfigurationCode,
  ConfigurationError,
  type InvalidKeyCode,
  InvalidKeyError,
  isScopekeyFailure,
  MissingPermissionError,
  RateLimitedError,
  type RequestRefusedCode,
  RequestRefusedError,
  ScopekeyError,
  type ScopekeyFailure,
  type UnavailableCode,
  UnavailableError,
  UnlistedOperationError,
  UnreachableError,
  UnreadableTargetError,
} from "./client/errors.js";
export type { KeyExpiry } from "./client/expiry.js";
export type { CallOptions, ChangeOptions, OnceOptions } from "./client/management.js";
export type { ClientOptions } from "./client/options.js";
export { type Page, Paged } from "./client/paging.js";
export type {
  CreateKey,
  CreateOrganization,
  EditKey,
  EditOrganization,
  EntryQuery,
  ExportQuery,
  IssuedKey,
  Key,
  KeyQuery,
  LoggedEntry,
  Organization,
  OrganizationQuery,
  Permissions,
  Presets,
  ProvenEntry,
  Reach,
  RevokeKey,
  RotateKey,
  Usage,
  Verification,
  Verify,
  Whoami,
} from "./client/resources.js";
export type { ProblemCode, ProblemKind } from "./generated/problems.js";
export { PROBLEMS } from "./generated/problems.js";
export * from "./permissions.js";
