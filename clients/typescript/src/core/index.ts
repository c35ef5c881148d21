/**
 * The law of Scopekey as functions of what they are given: which printed key is meant, which operation a request is,
 * and whether a key may do it. Runs anywhere; looks nothing up, reads no clock and makes no randomness.
 *
 * A digest is the verifier's own matter: it is a keyed BLAKE2b-256, which neither `node:crypto` nor Web Crypto has.
 * Whoever finds a key here by its id has compared its secret elsewhere, or asks a Scopekey server.
 *
 * @module
 */

export {
  type Catalog,
  type CatalogDefinition,
  CatalogError,
  type CatalogFault,
  compileCatalog,
  findPermission,
  impliedBy,
  isObserving,
  isOperatorOnly,
  isOwn,
  type Preset,
  permissionTitle,
  type Resource,
  UnknownPermissionError,
} from "./catalog.js";
export { checksum, isIntact } from "./checksum.js";
export { type Credential, type CredentialField, type FieldLines, readCredential } from "./credential.js";
export { type Call, decide } from "./decide.js";
export { type Allowed, DENIAL_REASONS, type Decision, type DenialReason, type Denied } from "./decision.js";
export {
  barest,
  effective,
  type Mask,
  maskOf,
  namesOf,
  type Register,
  RegisterError,
  register,
  registerOf,
} from "./grant.js";
export {
  base62,
  isKeyId,
  isOrganizationId,
  type KeyId,
  keyId,
  type OrganizationId,
  organizationId,
  publicId,
} from "./ids.js";
export { endOf, heldBy, type Key, type Organization, type Secret } from "./key.js";
export {
  type KeyFormat,
  KeyFormatError,
  type KeyParts,
  keyFormat,
  keyPattern,
  maskKey,
  type PrintedKey,
  parseKey,
  printKey,
  STANDARD_FORMAT,
  withoutSecrets,
} from "./keyformat.js";
export { type GuardedMatch, type Match, objectOf, type PublicMatch } from "./match.js";
export { compileRules, type MatchOptions, matchOperation, type Rules } from "./matcher.js";
export {
  type Address,
  InvalidNetworkError,
  isWithin,
  type Network,
  networksCover,
  parseAddress,
  parseNetwork,
} from "./network.js";
export { InvalidPermissionError, type Permission, type PermissionName, parsePermission } from "./permission.js";
export {
  ANY_LIVE_KEY,
  bothOf,
  compileRequirement,
  missing,
  type Need,
  parseRequirement,
  type Requirement,
  requirementText,
  satisfied,
} from "./requirement.js";
export {
  InvalidOperationError,
  type Operation,
  operationText,
  parseOperation,
  type Rule,
  type RuleFault,
  RulesError,
  type RuleTable,
  ruleFaults,
} from "./rules.js";
export {
  canonicalPath,
  MAX_PATH_LENGTH,
  readTarget,
  TARGET_REFUSALS,
  type Target,
  type TargetRefusal,
  type UnreadableTarget,
} from "./target.js";
export {
  InvalidTemplateError,
  type Literal,
  type Mixed,
  type Parameter,
  parameterNames,
  parseTemplate,
  type Segment,
  type Span,
  type Template,
} from "./template.js";
export { covers } from "./wider.js";
