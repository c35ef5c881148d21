// One question to the gateway, and its answer: read strictly, for whatever is not a plain yes is no yes.

import { kindOf } from "../sending.js";
import { GuardFault, type Settled } from "./options.js";

/** What is asked about a key: permissions, all of them, or an operation (`GET /datasets/42`) by the gateway's rules. */
export type Question = { readonly permissions: readonly string[] } | { readonly operation: string };

/** What the gateway said about a key. */
export interface Verdict {
  readonly allowed: boolean;
  readonly code: string | null;
  readonly key_id: string | null;
  readonly organization: string | null;
  readonly environment: string | null;
  readonly permissions: readonly string[];
  readonly missing: readonly string[];
  readonly expires_at: string | null;
  readonly stale: boolean;
}

/** Ask. Throws GuardFault where there is no answer that can be relied on. */
export async function ask(
  settled: Settled,
  key: string,
  question: Question,
  address: string | undefined,
  requestId: string,
): Promise<Verdict> {
  const { host } = settled.url;
  const body = JSON.stringify({ key, ...question, ...(address === undefined ? {} : { address }) });
  const { status, code, text } = await send(settled, body, requestId);
  if (status !== 200) {
    throw new GuardFault(`${host} answered this guard ${status} (${code}): look at its own key and address`);
  }
  const verdict = read(text);
  if (verdict === undefined) throw new GuardFault(`${host} gave an answer that is none of Scopekey's`);
  return verdict;
}

async function send(
  settled: Settled,
  body: string,
  requestId: string,
): Promise<{ status: number; code: string; text: string }> {
  try {
    const response = await settled.fetch(settled.url, {
      method: "POST",
      headers: {
        authorization: `Bearer ${settled.apiKey}`,
        "content-type": "application/json",
        "x-request-id": requestId,
      },
      body,
      redirect: "manual",
      signal: AbortSignal.timeout(settled.timeoutMs),
    });
    const code = response.headers.get("scopekey-code") ?? "";
    // Read to its end also where it is not used: only then the connection is kept.
    return { status: response.status, code: CODE.test(code) ? code : "no code", text: await response.text() };
  } catch (error) {
    throw new GuardFault(`${settled.url.host} did not answer (${kindOf(error)}): requests are refused until it does`);
  }
}

function read(text: string): Verdict | undefined {
  try {
    const found: unknown = JSON.parse(text);
    return isVerdict(found) ? found : undefined;
  } catch {
    return undefined;
  }
}

const CODE = /^[a-z_]{1,40}$/;
// These end in header fields of the application's answer: nothing else may stand in them.
const PERMISSION = /^[!-+\--~]{1,200}$/;
const TIME = /^\d{4}-\d\d-\d\dT[\d:.]{8,20}(Z|[+-]\d\d:\d\d)$/;

function isVerdict(value: unknown): value is Verdict {
  if (typeof value !== "object" || value === null) return false;
  const { allowed, code, key_id, organization, environment, permissions, missing, expires_at, stale } = value as Record<
    string,
    unknown
  >;
  return (
    typeof allowed === "boolean" &&
    typeof stale === "boolean" &&
    // A refusal has a reason, a yes has none: anything else is not understood.
    (allowed ? code === null : isText(code, CODE)) &&
    [key_id, organization, environment].every((one) => one === null || typeof one === "string") &&
    (expires_at === null || isText(expires_at, TIME)) &&
    [permissions, missing].every((list) => Array.isArray(list) && list.every((one) => isText(one, PERMISSION)))
  );
}

function isText(value: unknown, form: RegExp): boolean {
  return typeof value === "string" && form.test(value);
}
