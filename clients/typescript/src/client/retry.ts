// Whether a call is tried again, and after how long (spec/clients.md). Chance is an argument.

import { ApiError, RateLimitedError, type ScopekeyFailure, UnavailableError, UnreachableError } from "./errors.js";
import { retryAfterOf } from "./refusal.js";

const FIRST_MS = 500;
const LONGEST_MS = 8_000;
const LONGEST_ASKED_MS = 60_000;
const REPEATABLE = new Set(["GET", "HEAD", "OPTIONS", "PUT", "DELETE"]);
const PASSING = new Set([500, 502, 503, 504]);

/** What was tried. */
export interface Attempt {
  readonly method: string;
  /** Whether the call carries an idempotency key. */
  readonly once: boolean;
  /** How often it was tried before; 0 at first. */
  readonly before: number;
}

/** How many milliseconds to wait for another try; undefined where there is none. `random` is from 0 to below 1. */
export function waitBefore(
  error: ScopekeyFailure,
  attempt: Attempt,
  most: number,
  retryAfter: number | undefined,
  random: number,
): number | undefined {
  if (attempt.before >= most || !passes(error, attempt)) return undefined;
  if (retryAfter !== undefined) return retryAfter <= LONGEST_ASKED_MS ? retryAfter : undefined;
  return random * Math.min(FIRST_MS * 2 ** attempt.before, LONGEST_MS);
}

function passes(error: ScopekeyFailure, attempt: Attempt): boolean {
  // These were refused before anything was done.
  if (error.status === 429 || error instanceof UnavailableError) return true;
  const repeatable = attempt.once || REPEATABLE.has(attempt.method);
  return repeatable && (error instanceof UnreachableError || PASSING.has(error.status ?? 0));
}

/** How many milliseconds an answer asked to wait, where it did. */
export function retryAfterIn(error: ScopekeyFailure, now: number): number | undefined {
  if (error instanceof RateLimitedError || error instanceof UnavailableError) return error.retryAfter;
  return error instanceof ApiError ? retryAfterOf(error.headers, now) : undefined;
}

/** Wait; ends at once, with its reason, where the signal says so. */
export function sleep(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((done, failed) => {
    if (signal?.aborted) {
      failed(signal.reason);
      return;
    }
    const stop = (): void => {
      clearTimeout(timer);
      failed(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", stop);
      done();
    }, milliseconds);
    signal?.addEventListener("abort", stop, { once: true });
  });
}
