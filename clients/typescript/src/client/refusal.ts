// From an answer that is no success to the error it means.

import { PROBLEMS, type ProblemKind } from "../generated/problems.js";
import type { Permission } from "../permissions.js";
import { ApiError, errorOf, type ScopekeyFailure, type Told } from "./errors.js";

const LONGEST_BODY = 65_536;
type Document = Readonly<Record<string, unknown>>;

/** Read an answer to its end, so that its connection can be used again, and give the error that it is. */
export async function refusalOf(response: Response, now: number): Promise<ScopekeyFailure> {
  const body = (await response.text()).slice(0, LONGEST_BODY);
  const document = isProblem(response) ? parsed(body) : undefined;
  const code = text(document?.code) ?? response.headers.get("scopekey-code") ?? undefined;
  const known = code === undefined ? undefined : errorOf(code, told(code, document ?? {}, response, now));
  return known ?? new ApiError(said(response, code), response.status, body, response.headers, code);
}

/** How long an answer asks to wait, in milliseconds: `Retry-After` in seconds or as a date (RFC 9110 section 10.2.3). */
export function retryAfterOf(headers: Headers, now: number): number | undefined {
  const value = headers.get("retry-after")?.trim();
  if (!value) return undefined;
  if (/^\d{1,9}$/.test(value)) return Number(value) * 1000;
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}

function told(code: string, document: Document, response: Response, now: number): Told {
  const kind: ProblemKind | undefined = Object.hasOwn(PROBLEMS, code)
    ? PROBLEMS[code as keyof typeof PROBLEMS]
    : undefined;
  const { headers } = response;
  const missing = names(document.missing) ?? listed(headers.get("scopekey-missing"));
  return {
    status: response.status,
    title: text(document.title) ?? kind?.title ?? code,
    detail: text(document.detail) ?? described(kind, missing, code),
    requestId: text(document.request_id) ?? headers.get("x-request-id") ?? undefined,
    keyId: text(document.key_id),
    operation: text(document.operation),
    required: alternatives(document.required) ?? listedAlternatives(headers.get("scopekey-requires")),
    missing,
    field: text(document.field),
    retryAfter: retryAfterOf(headers, now),
  };
}

// A proxy let the header fields through and not the document: its words are known, its names stand in the fields.
function described(kind: ProblemKind | undefined, missing: readonly string[], code: string): string {
  if (kind === undefined) return `The call was refused: ${code}.`;
  if (missing.length === 0) return `${kind.meaning} ${kind.action}`;
  return `This call needs ${missing.join(" and ")}; the key does not hold ${missing.length === 1 ? "it" : "them"}. ${kind.action}`;
}

function said(response: Response, code: string | undefined): string {
  const what = `${response.status} ${response.statusText}`.trim();
  return code === undefined
    ? `The platform answered ${what}.`
    : `The platform answered ${what} with the code ${JSON.stringify(code)}, which this version does not know.`;
}

function isProblem(response: Response): boolean {
  const type = response.headers.get("content-type") ?? "";
  return /^application\/problem\+json\s*(;|$)/i.test(type.trim());
}

function parsed(body: string): Document | undefined {
  try {
    const found: unknown = JSON.parse(body);
    return typeof found === "object" && found !== null && !Array.isArray(found) ? (found as Document) : undefined;
  } catch {
    return undefined;
  }
}

function text(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

function names(value: unknown): readonly Permission[] | undefined {
  return Array.isArray(value) && value.every((one) => typeof one === "string") ? (value as Permission[]) : undefined;
}

function alternatives(value: unknown): readonly (readonly Permission[])[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const found = value.map(names);
  return found.every((one) => one !== undefined) ? found : undefined;
}

function listed(value: string | null): readonly Permission[] {
  return (value ?? "")
    .split(",")
    .map((one) => one.trim())
    .filter((one) => one !== "") as Permission[];
}

function listedAlternatives(value: string | null): readonly (readonly Permission[])[] {
  return value === null ? [] : value.split(";").map(listed);
}
