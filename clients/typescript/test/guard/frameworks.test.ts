import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { Server } from "../support/server.js";
import { type App, FRAMEWORKS } from "./apps.js";

const RULES = `[[rule]]
operation = "GET /listed/jobs"
requires = "jobs:read"
`;

let server: Server;
let guardKey: string;
before(async () => {
  server = await Server.start({ rules: RULES });
  guardKey = await server.key("guard", "--permission", "scopekey_verifications:write");
});
after(() => server.stop());

function call(app: App, method: string, path: string, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(app.url + path, { method, headers });
}

function bearer(key: string): Record<string, string> {
  return { authorization: `Bearer ${key}` };
}

for (const [name, begin] of Object.entries(FRAMEWORKS)) {
  describe(name, () => {
    let app: App;
    let reader: string;
    before(async () => {
      app = await begin({ gateway: server.url, apiKey: guardKey });
      reader = await server.key("reader", "--permission", "datasets:read");
    });
    after(() => app.stop());

    test("a key that holds the permission gets through, and the handler is told whose it is", async () => {
      const answer = await call(app, "GET", "/datasets", bearer(reader));
      strictEqual(200, answer.status);
      const { caller } = (await answer.json()) as {
        caller: { keyId: string; permissions: string[]; environment: string };
      };
      deepStrictEqual(
        [`key_${reader.slice(9, 21)}`, ["datasets:read"], "live"],
        [caller.keyId, caller.permissions, caller.environment],
      );
      strictEqual("datasets:read", answer.headers.get("scopekey-requires"));
      match(answer.headers.get("scopekey-key-expires") ?? "", /^\d{4}-\d\d-\d\dT/);
    });

    test("the other header carries a key as well", async () => {
      strictEqual(200, (await call(app, "GET", "/datasets", { "x-api-key": reader })).status);
    });

    test("a key that lacks a permission is told which, and the handler does not run", async () => {
      const ran = app.ran();
      const answer = await call(app, "DELETE", "/datasets", { ...bearer(reader), "x-request-id": "mine" });
      const document = (await answer.json()) as Record<string, unknown>;
      deepStrictEqual([401, ran], [answer.status, app.ran()]);
      deepStrictEqual(
        ["missing_permission", ["datasets:write"], [["datasets:read", "datasets:write"]], "mine", 401],
        [document.code, document.missing, document.required, document.request_id, document.status],
      );
      match(answer.headers.get("content-type") ?? "", /^application\/problem\+json(; charset=utf-8)?$/);
      strictEqual("missing_permission", answer.headers.get("scopekey-code"));
      strictEqual("datasets:write", answer.headers.get("scopekey-missing"));
      strictEqual("no-store", answer.headers.get("cache-control"));
      strictEqual(
        'Bearer realm="scopekey", error="insufficient_scope", scope="datasets:read datasets:write"',
        answer.headers.get("www-authenticate"),
      );
      match(String(document.detail), /^This call needs datasets:write; the key does not hold it\. /);
    });

    for (const [why, headers, status, code] of [
      ["no key", {}, 401, "no_credential"],
      ["another scheme", { authorization: "Basic abc" }, 401, "no_credential"],
      ["two keys", { authorization: "Bearer a", "x-api-key": "b" }, 400, "ambiguous_credential"],
      ["two keys in one line", { authorization: "Bearer a, Bearer b" }, 400, "ambiguous_credential"],
      ["what is no key", bearer("nonsense"), 401, "malformed_key"],
      [
        "a key that nobody has",
        bearer("sck_live_000000000000000000000000000000000000000000000000000000000000000000000"),
        401,
        "malformed_key",
      ],
    ] as const) {
      test(`${why} is refused, and told nothing else`, async () => {
        const ran = app.ran();
        const answer = await call(app, "GET", "/datasets", headers);
        const document = (await answer.json()) as Record<string, unknown>;
        deepStrictEqual([status, code, undefined, ran], [answer.status, document.code, document.key_id, app.ran()]);
        strictEqual(null, answer.headers.get("scopekey-requires"));
      });
    }

    test("a revoked key is refused by the very next request", async () => {
      const key = await server.key("short", "--permission", "datasets:read");
      strictEqual(200, (await call(app, "GET", "/datasets", bearer(key))).status);
      await server.command("keys", "revoke", `key_${key.slice(9, 21)}`, "--reason", "other", "--yes");
      const answer = await call(app, "GET", "/datasets", bearer(key));
      deepStrictEqual([401, "revoked_key"], [answer.status, answer.headers.get("scopekey-code")]);
    });

    test("what the rules list is decided by them, and what they do not is refused", async () => {
      const jobs = await server.key("jobs", "--permission", "jobs:read");
      strictEqual(200, (await call(app, "GET", "/listed/jobs?page=2", bearer(jobs))).status);
      strictEqual(
        "missing_permission",
        (await call(app, "GET", "/listed/jobs", bearer(reader))).headers.get("scopekey-code"),
      );
      strictEqual(
        "unlisted_operation",
        (await call(app, "GET", "/listed/else", bearer(jobs))).headers.get("scopekey-code"),
      );
    });

    test("each request is in the log, once", async () => {
      const key = await server.key("counted", "--permission", "datasets:read");
      for (let one = 0; one < 5; one += 1) await call(app, "GET", "/datasets", bearer(key));
      const id = `key_${key.slice(9, 21)}`;
      let found = 0;
      for (let tries = 0; found < 5 && tries < 100; tries += 1) {
        const told = await server.command("audit", "search", "--key", id, "--kind", "decision", "--json");
        found = told.split("\n").filter((line) => line.includes('"log_index"') || line.includes('"index"')).length;
      }
      strictEqual(5, found);
    });

    test("a key that is bound to networks is decided by the socket's address, where there is one", async () => {
      const bound = await server.key("bound", "--permission", "datasets:read", "--network", "127.0.0.0/8");
      const answer = await call(app, "GET", "/datasets", { ...bearer(bound), "x-forwarded-for": "10.0.0.1" });
      const known = name === "express" || name === "fastify";
      deepStrictEqual(known ? [200, null] : [401, "address_not_allowed"], [
        answer.status,
        answer.headers.get("scopekey-code"),
      ]);
      ok(app.ran() > 0);
    });
  });
}
