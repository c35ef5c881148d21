// One question to the gateway, and its answer: read strictly, for whatever is not a plain yes is no yes.

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
  let response: Response;
  let text: string;
  try {
    response = await settled.fetch(settled.url, {
      method: "POST",
      headers: {
        authorization: `Bearer ${settled.apiKey}`,
        "content-type": "application/json",
        "x-request-id": requestId,
      },
      body: JSON.stringify({ key, ...question, ...(address === undefined ? {} : { address }) }),
      redirect: "manual",
      signal: AbortSignal.timeout(settled.timeoutMs),
    });
    text = await response.text();
  } catch (error) {
    // The kind alone: the words of such an error could repeat what was sent.
    const kind = error instanceof Error ? error.name : "unknown";
    throw new GuardFault(`${settled.url.host} did not answer (${kind}): requests are refused until it does`);
  }
  if (response.status !== 200) throw new GuardFault(refused(settled, response));
  const verdict = read(text);
  if (verdict === undefined) throw new GuardFault(`${settled.url.host} gave an answer that is none of Scopekey's`);
  return verdict;
}

function refused(settled: Settled, response: Response): string {
  const code = response.headers.get("scopekey-code") ?? "no code";
  return `${settled.url.host} answered this guard ${response.status} (${code}): look at its own key and address`;
}

function read(text: string): Verdict | undefined {
  let found: unknown;
  try {
    found = JSON.parse(text);
  } catch {
    return undefined;
  }
  return isVerdict(found) ? found : undefined;
}

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
    (allowed ? code === null : typeof code === "string") &&
    [key_id, organization, environment, expires_at].every((one) => one === null || typeof one === "string") &&
    [permissions, missing].every((list) => Array.isArray(list) && list.every((one) => typeof one === "string"))
  );
}
