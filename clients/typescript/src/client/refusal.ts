// From an answer that is no success to the error it means.

import { PROBLEMS, type ProblemKind } from "../generated/problems.js";
import type { Permission } from "../permissions.js";
import { beginning } from "./body.js";
import { ApiError, errorOf, type ScopekeyFailure, type Told } from "./errors.js";
import type { Secret } from "./secret.js";

const LONGEST_BODY = 65_536;
type Document = Readonly<Record<string, unknown>>;

/** An answer as far as it is told on: without the key, wherever a platform repeats it. */
interface Heard {
  readonly status: number;
  readonly statusText: string;
  readonly headers: Headers;
  readonly body: string;
}

/** Read an answer that is no success, so that its connection can be used again, and give the error that it is. */
export async function refusalOf(
  response: Response,
  secret: Secret,
  now: number,
  signal: AbortSignal,
): Promise<ScopekeyFailure> {
  // A key that begins in what is kept is read to its end: else it would not be found.
  const most = LONGEST_BODY + secret.reveal().length;
  const heard = hearing(response, await beginning(response, most, signal), secret);
  const document = isProblem(heard.headers) ? parsed(heard.body) : undefined;
  const [code, field] = [text(document?.code), heard.headers.get("scopekey-code") ?? undefined];
  return (
    failureOf(code, document ?? {}, heard, now) ??
    // A proxy dropped the document, or put its own in the place of it.
    failureOf(field, {}, heard, now) ??
    new ApiError(said(heard, code ?? field), heard.status, heard.body, heard.headers, code ?? field)
  );
}

/** The error of a good answer with a text that is no JSON. */
export function noJson(response: Response, body: string, secret: Secret): ApiError {
  const heard = hearing(response, body, secret);
  return new ApiError(
    `The platform answered ${heard.status} with a text that is no JSON.`,
    heard.status,
    heard.body,
    heard.headers,
  );
}

/** How long an answer asks to wait, in milliseconds: `Retry-After` in seconds or as a date (RFC 9110 section 10.2.3). */
export function retryAfterOf(headers: Headers, now: number): number | undefined {
  const value = headers.get("retry-after")?.trim() ?? "";
  if (/^\d+$/.test(value)) return Number(value) * 1000;
  // Date.parse takes "1.5" for a day in January; a date begins with the name of a day, and one without a zone is in GMT.
  if (!/^[A-Z][a-z]+,? /.test(value)) return undefined;
  const date = Date.parse(value.endsWith("GMT") ? value : `${value} GMT`);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}

function hearing(response: Response, body: string, secret: Secret): Heard {
  const fields = [...response.headers].map(([name, value]): [string, string] => [name, secret.hide(value)]);
  return {
    status: response.status,
    statusText: secret.hide(response.statusText),
    headers: new Headers(fields),
    body: secret.hide(body).slice(0, LONGEST_BODY),
  };
}

function failureOf(
  code: string | undefined,
  document: Document,
  heard: Heard,
  now: number,
): ScopekeyFailure | undefined {
  return code === undefined ? undefined : errorOf(code, told(code, document, heard, now));
}

function told(code: string, document: Document, heard: Heard, now: number): Told {
  const kind: ProblemKind | undefined = Object.hasOwn(PROBLEMS, code)
    ? PROBLEMS[code as keyof typeof PROBLEMS]
    : undefined;
  const { headers } = heard;
  const missing = names(document.missing) ?? listed(headers.get("scopekey-missing"));
  return {
    status: heard.status,
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

function said(heard: Heard, code: string | undefined): string {
  const what = `${heard.status} ${heard.statusText}`.trim();
  return code === undefined
    ? `The platform answered ${what}.`
    : `The platform answered ${what} with the code ${JSON.stringify(code)}, which this version does not know.`;
}

function isProblem(headers: Headers): boolean {
  const type = headers.get("content-type") ?? "";
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
