// Every way in which a call can fail, as classes that a `switch` over `code` tells apart (spec/clients.md).

import type { Permission } from "../permissions.js";

const INVALID_KEY = [
  "no_credential",
  "ambiguous_credential",
  "malformed_key",
  "unknown_key",
  "revoked_key",
  "expired_key",
  "address_not_allowed",
] as const;
const REQUEST_REFUSED = [
  "invalid_request",
  "unknown_permission",
  "exceeds_caller",
  "not_found",
  "method_not_allowed",
  "conflict",
  "rotation_in_progress",
  "version_conflict",
  "too_large",
  "snapshot_needed",
  "untrusted_proxy",
] as const;
const UNAVAILABLE = ["stale_replica", "journal_unavailable", "unavailable"] as const;

/** "Your key is wrong": another key is needed. */
export type InvalidKeyCode = (typeof INVALID_KEY)[number];
/** Scopekey's own API refuses what is asked. */
export type RequestRefusedCode = (typeof REQUEST_REFUSED)[number];
/** Nobody can answer now. */
export type UnavailableCode = (typeof UNAVAILABLE)[number];
/** The call could not be made as it was asked for; nothing was sent. */
export type ConfigurationCode =
  | "no_api_key"
  | "bad_api_key"
  | "wrong_environment"
  | "no_address"
  | "insecure_url"
  | "bad_request";

/** What a refusal says, wherever it was said: in a problem document, or in header fields alone. */
export interface Told {
  readonly status: number;
  readonly detail: string;
  readonly title: string;
  readonly requestId: string | undefined;
  readonly keyId: string | undefined;
  readonly operation: string | undefined;
  readonly required: readonly (readonly Permission[])[];
  readonly missing: readonly Permission[];
  readonly field: string | undefined;
  /** Milliseconds. */
  readonly retryAfter: number | undefined;
}

/** What all errors of the client have. `message` says what happened, what it means, and what to do. */
export abstract class ScopekeyError extends Error {
  /** Which error it is: public, and never reused. */
  abstract readonly code: string;
  /** The HTTP status; undefined where nothing was answered. */
  readonly status: number | undefined;
  /** A few words; the same for every error of a code. */
  readonly title: string;
  /** By this the owner of the platform finds the call in the log. */
  readonly requestId: string | undefined;

  constructor(message: string, told: { status?: number | undefined; title: string; requestId?: string | undefined }) {
    super(message);
    this.name = new.target.name;
    this.status = told.status;
    this.title = told.title;
    this.requestId = told.requestId;
  }
}

/** The key is wrong: none was sent, nobody has it, it has ended or may not be used from here. */
export class InvalidKeyError extends ScopekeyError {
  /** Where the key is genuine and has ended: whose it was. */
  readonly keyId: string | undefined;

  constructor(
    readonly code: InvalidKeyCode,
    told: Told,
  ) {
    super(told.detail, told);
    this.keyId = told.keyId;
  }
}

/** The key is right, and lacks a permission. */
export class MissingPermissionError extends ScopekeyError {
  readonly code = "missing_permission";
  /** The shortest way to satisfy the operation. */
  readonly missing: readonly Permission[];
  /** The alternatives that would do, each needed whole. */
  readonly required: readonly (readonly Permission[])[];
  readonly operation: string | undefined;
  readonly keyId: string | undefined;

  constructor(told: Told) {
    super(told.detail, told);
    this.missing = told.missing;
    this.required = told.required;
    this.operation = told.operation;
    this.keyId = told.keyId;
  }

  /** What to ask for, in words: `Ask for Write Datasets (datasets:write).` */
  get ask(): string {
    const needed = /^This call needs (.+); the key does not hold (?:it|them)\./.exec(this.message)?.[1];
    return `Ask for ${needed ?? (this.missing.join(" and ") || "a key that may do this")}.`;
  }
}

/** No rule lists the operation, so no key opens it. */
export class UnlistedOperationError extends ScopekeyError {
  readonly code = "unlisted_operation";
  readonly operation: string | undefined;

  constructor(told: Told) {
    super(told.detail, told);
    this.operation = told.operation;
  }
}

/** The path could be read in more than one way. */
export class UnreadableTargetError extends ScopekeyError {
  readonly code = "unreadable_target";

  constructor(told: Told) {
    super(told.detail, told);
  }
}

/** Scopekey's own API refuses what is asked; the key may be right. */
export class RequestRefusedError extends ScopekeyError {
  /** Which field of the request is to be mended, where one is. */
  readonly field: string | undefined;

  constructor(
    readonly code: RequestRefusedCode,
    told: Told,
  ) {
    super(told.detail, told);
    this.field = told.field;
  }
}

/** Calls come faster than they are served; those that may be repeated were repeated. */
export class RateLimitedError extends ScopekeyError {
  readonly code = "rate_limited";
  /** After how many milliseconds another try makes sense, where it was said. */
  readonly retryAfter: number | undefined;

  constructor(told: Told) {
    super(told.detail, told);
    this.retryAfter = told.retryAfter;
  }
}

/** The call could not be checked or recorded, and was not let through. */
export class UnavailableError extends ScopekeyError {
  /** After how many milliseconds another try makes sense, where it was said. */
  readonly retryAfter: number | undefined;

  constructor(
    readonly code: UnavailableCode,
    told: Told,
  ) {
    super(told.detail, told);
    this.retryAfter = told.retryAfter;
  }
}

/** The platform's own answer, which is no refusal of Scopekey's, or one that this version does not know. */
export class ApiError extends ScopekeyError {
  readonly code = "api_error";

  constructor(
    message: string,
    override readonly status: number,
    /** The answer's text, at most 64 KiB of it. */
    readonly body: string,
    readonly headers: Headers,
    /** A refusal's code that this version does not know. */
    readonly problemCode?: string,
  ) {
    super(message, { status, title: "An answer of the platform", requestId: headers.get("x-request-id") ?? undefined });
  }
}

/** No answer came: whether anything happened is not known. */
export class UnreachableError extends ScopekeyError {
  constructor(
    readonly code: "unreachable" | "timeout",
    message: string,
  ) {
    super(message, { title: code === "timeout" ? "No answer in time" : "No answer" });
  }
}

/** The client was given what it cannot work with; nothing was sent. */
export class ConfigurationError extends ScopekeyError {
  constructor(
    readonly code: ConfigurationCode,
    message: string,
  ) {
    super(message, { title: "Configuration" });
  }
}

/** Every error of the client; a `switch` over `code` tells them apart. */
export type ScopekeyFailure =
  | InvalidKeyError
  | MissingPermissionError
  | UnlistedOperationError
  | UnreadableTargetError
  | RequestRefusedError
  | RateLimitedError
  | UnavailableError
  | ApiError
  | UnreachableError
  | ConfigurationError;

/** Tells whether something that was thrown is an error of the client. */
export function isScopekeyFailure(error: unknown): error is ScopekeyFailure {
  return error instanceof ScopekeyError;
}

/** The error that a refusal with a known code is; undefined for a code that this version does not know. */
export function errorOf(code: string, told: Told): ScopekeyFailure | undefined {
  if (isOneOf(INVALID_KEY, code)) return new InvalidKeyError(code, told);
  if (isOneOf(REQUEST_REFUSED, code)) return new RequestRefusedError(code, told);
  if (isOneOf(UNAVAILABLE, code)) return new UnavailableError(code, told);
  if (code === "missing_permission") return new MissingPermissionError(told);
  if (code === "unlisted_operation") return new UnlistedOperationError(told);
  if (code === "unreadable_target") return new UnreadableTargetError(told);
  if (code === "rate_limited") return new RateLimitedError(told);
  return undefined;
}

function isOneOf<Known extends string>(known: readonly Known[], code: string): code is Known {
  return (known as readonly string[]).includes(code);
}
