// What the compiler has to accept, and what it has to refuse: a line that it accepts in spite of its note does not compile.

import { strictEqual } from "node:assert/strict";
import { test } from "node:test";
import type { IssuedKey, Key, Paged, Permission, ScopekeyClient, ScopekeyFailure } from "../../src/index.js";

/** A program that handles every failure there is; a code that was forgotten would be no `never`. */
function handled(error: ScopekeyFailure): string {
  switch (error.code) {
    case "missing_permission":
      return error.missing.join() + error.ask;
    case "no_credential":
    case "ambiguous_credential":
    case "malformed_key":
    case "unknown_key":
    case "revoked_key":
    case "expired_key":
    case "address_not_allowed":
      // @ts-expect-error a wrong key lacks nothing
      void error.missing;
      return error.keyId ?? "";
    case "unlisted_operation":
      return error.operation ?? "";
    case "unreadable_target":
      return error.message;
    case "rate_limited":
    case "stale_replica":
    case "journal_unavailable":
    case "unavailable":
      return String(error.retryAfter);
    case "api_error":
      return `${error.status} ${error.body}`;
    case "unreachable":
    case "timeout":
      // @ts-expect-error nothing was answered
      return error.body;
    case "no_api_key":
    case "bad_api_key":
    case "wrong_environment":
    case "no_address":
    case "insecure_url":
    case "bad_request":
      return error.title;
    case "invalid_request":
    case "unknown_permission":
    case "exceeds_caller":
    case "not_found":
    case "method_not_allowed":
    case "conflict":
    case "rotation_in_progress":
    case "version_conflict":
    case "too_large":
    case "snapshot_needed":
    case "untrusted_proxy":
      return error.field ?? "";
    default: {
      const none: never = error;
      return none;
    }
  }
}

async function used(client: ScopekeyClient): Promise<void> {
  const keys: Paged<Key> = client.listKeys({ status: "active", limit: 10 });
  for await (const key of keys) key.permissions satisfies string[];
  const issued: IssuedKey = await client.createKey({ name: "a", permissions: ["datasets:read"] });
  // @ts-expect-error the secret of a repeat is null
  issued.secret.length;
  // @ts-expect-error a key has a name
  await client.createKey({ permissions: [] });
  // @ts-expect-error there is no such status
  client.listKeys({ status: "sleeping" });
  // @ts-expect-error a reason is one of four
  await client.revokeKey("key_1", { reason: "bored" });
  // @ts-expect-error the secret is not to be had this way
  client.apiKey;
}

test("without a catalog, a permission is any text", () => {
  const permission: Permission = "anything:read";
  strictEqual("anything:read", permission);
  strictEqual("function", typeof handled);
  strictEqual("function", typeof used);
});
