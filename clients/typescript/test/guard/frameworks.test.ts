import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { request as ask } from "node:http";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { Server, SPEC } from "../support/server.js";
import { type App, FRAMEWORKS, ON_NODE } from "./apps.js";
import { decisionsOf, idOf, issue, revoke } from "./keys.js";

const RULES = `[[rule]]
operation = "GET /listed/jobs"
requires = "jobs:read"

[[rule]]
operation = "GET /listed/status"
public = true
`;

let server: Server;
let guardKey: string;
let reader: string;
let jobs: string;
let foreign: string;
before(async () => {
  server = await Server.start({ rules: RULES });
  guardKey = await issue(server, ["scopekey_verifications:write"]);
  reader = await issue(server, ["datasets:read"]);
  jobs = await issue(server, ["jobs:read"]);
  const vectors = JSON.parse(await readFile(join(SPEC, "vectors/digests.json"), "utf8")) as {
    [name: string]: { printed: string }[];
  };
  foreign =
    Object.values(vectors)
      .flat()
      .find(({ printed }) => printed?.startsWith("sck_live_abcdef"))?.printed ?? "";
});
after(() => server.stop());

/** One call, its header fields line by line: a list is as many lines. */
async function call(
  app: App,
  method: string,
  path: string,
  headers: Record<string, string | string[]> = {},
): Promise<{ status: number; headers: Headers; body: Record<string, unknown> }> {
  return new Promise((done, failed) => {
    const sent = ask(app.url, { method, path, headers, agent: false }, async (response) => {
      let text = "";
      for await (const part of response) text += part;
      const fields = new Headers(Object.entries(response.headers).map(([name, value]) => [name, String(value)]));
      done({ status: response.statusCode ?? 0, headers: fields, body: text === "" ? {} : JSON.parse(text) });
    });
    sent.on("error", failed);
    sent.end();
  });
}

function bearer(key: string): Record<string, string> {
  return { authorization: `Bearer ${key}` };
}

for (const [name, begin] of Object.entries(FRAMEWORKS)) {
  describe(name, () => {
    let app: App;
    before(async () => {
      app = await begin({ gateway: server.url, apiKey: guardKey });
    });
    after(() => app.stop());

    test("a key that holds the permission gets through, and the handler is told whose it is", async () => {
      const answer = await call(app, "GET", "/datasets", bearer(reader));
      strictEqual(200, answer.status);
      const { organization, expiresAt, ...caller } = answer.body.caller as Record<string, unknown>;
      deepStrictEqual(
        { keyId: idOf(reader), environment: "live", permissions: ["datasets:read"], missing: [], stale: false },
        caller,
      );
      match(String(organization), /^org_/);
      deepStrictEqual(
        ["datasets:read", expiresAt],
        [answer.headers.get("scopekey-requires"), answer.headers.get("scopekey-key-expires")],
      );
      match(String(expiresAt), /^\d{4}-\d\d-\d\dT/);
    });

    test("the other header carries a key as well", async () => {
      strictEqual(200, (await call(app, "GET", "/datasets", { "x-api-key": reader })).status);
    });

    test("a key that lacks a permission is told which, and the handler does not run", async () => {
      const ran = app.ran();
      const answer = await call(app, "DELETE", "/datasets", { ...bearer(reader), "x-request-id": "mine" });
      deepStrictEqual([401, ran], [answer.status, app.ran()]);
      deepStrictEqual(
        {
          type: "urn:scopekey:problem:missing_permission",
          title: "Missing permission",
          status: 401,
          detail:
            "This call needs datasets:write; the key does not hold it. Ask for it to be added, or use another key.",
          code: "missing_permission",
          request_id: "mine",
          key_id: idOf(reader),
          required: [["datasets:read", "datasets:write"]],
          missing: ["datasets:write"],
        },
        answer.body,
      );
      const told = Object.fromEntries(
        [...answer.headers].filter(([field]) => /^(content-type|cache-|scopekey-|x-req|www-)/.test(field)),
      );
      match(told["scopekey-key-expires"] ?? "", /^\d{4}-/);
      deepStrictEqual(
        {
          "content-type": "application/problem+json",
          "cache-control": "no-store",
          "scopekey-code": "missing_permission",
          "scopekey-missing": "datasets:write",
          "scopekey-requires": "datasets:read, datasets:write",
          "scopekey-key-expires": undefined,
          "x-request-id": "mine",
          "www-authenticate":
            'Bearer realm="scopekey", error="insufficient_scope", scope="datasets:read datasets:write"',
        },
        { ...told, "scopekey-key-expires": undefined },
      );
    });

    const rows: [why: string, headers: () => Record<string, string | string[]>, status: number, code: string][] = [
      ["no key", () => ({}), 401, "no_credential"],
      ["another scheme", () => ({ authorization: "Basic abc" }), 401, "no_credential"],
      ["two keys", () => ({ ...bearer(reader), "x-api-key": reader }), 400, "ambiguous_credential"],
      ["two keys in one line", () => ({ authorization: "Bearer a, Bearer b" }), 400, "ambiguous_credential"],
      ["two lines with keys", () => ({ "x-api-key": [reader, reader] }), 400, "ambiguous_credential"],
      // Node.js itself would take the first of these two for the whole.
      [
        "two lines of bearers",
        () => ({ authorization: [`Bearer ${reader}`, "Bearer b"] }),
        400,
        "ambiguous_credential",
      ],
      ["what is no key", () => bearer("nonsense"), 401, "malformed_key"],
      ["what is too long for a key", () => bearer("k".repeat(600)), 401, "malformed_key"],
      ["a key of somewhere else", () => bearer(foreign), 401, "unknown_key"],
    ];
    for (const [why, headers, status, code] of rows) {
      test(`${why} is refused, and told nothing else`, async () => {
        const ran = app.ran();
        const answer = await call(app, "GET", "/datasets", headers());
        const { request_id: requestId, ...told } = answer.body;
        deepStrictEqual([status, code, ran], [answer.status, told.code, app.ran()]);
        deepStrictEqual(Object.keys(told).sort(), ["code", "detail", "status", "title", "type"]);
        deepStrictEqual(
          [null, requestId],
          [answer.headers.get("scopekey-requires"), answer.headers.get("x-request-id")],
        );
        match(answer.headers.get("www-authenticate") ?? "", /^Bearer realm="scopekey"/);
      });
    }

    test("a revoked key is refused by the very next request", async () => {
      const key = await issue(server, ["datasets:read"]);
      strictEqual(200, (await call(app, "GET", "/datasets", bearer(key))).status);
      await revoke(server, key);
      const answer = await call(app, "GET", "/datasets", bearer(key));
      deepStrictEqual([401, "revoked_key", idOf(key)], [answer.status, answer.body.code, answer.body.key_id]);
      strictEqual(null, answer.headers.get("scopekey-requires"));
    });

    test("HEAD is refused like GET, without a body", async () => {
      const answer = await call(app, "HEAD", "/datasets");
      deepStrictEqual([401, "no_credential", {}], [answer.status, answer.headers.get("scopekey-code"), answer.body]);
    });

    test("what the rules list is decided by them, whatever the query is", async () => {
      const answer = await call(app, "GET", "/listed/jobs?page=2&name=%ff", bearer(jobs));
      deepStrictEqual([200, idOf(jobs)], [answer.status, (answer.body.caller as { keyId: string }).keyId]);
      const lacking = await call(app, "GET", "/listed/jobs", bearer(reader));
      deepStrictEqual(["missing_permission", ["jobs:read"]], [lacking.body.code, lacking.body.missing]);
      deepStrictEqual([undefined, undefined], [lacking.body.required, lacking.body.operation]);
    });

    test("what the rules do not list is refused, and so is what they cannot read", async () => {
      const ran = app.ran();
      const unlisted = await call(app, "GET", "/listed/else", bearer(jobs));
      const unreadable = await call(app, "GET", "/listed/jobs%2f..", bearer(jobs));
      deepStrictEqual(
        [401, "unlisted_operation", [], 400, "unreadable_target", ran],
        [
          unlisted.status,
          unlisted.body.code,
          unlisted.body.missing,
          unreadable.status,
          unreadable.body.code,
          app.ran(),
        ],
      );
    });

    test("a public operation has no caller, whoever calls", async () => {
      const answer = await call(app, "GET", "/listed/status", bearer(jobs));
      deepStrictEqual([200, null], [answer.status, answer.body.caller]);
    });

    test("each request is in the log, once", async () => {
      const key = await issue(server, ["datasets:read"]);
      for (const id of ["a", "b", "c"]) await call(app, "GET", "/datasets", { ...bearer(key), "x-request-id": id });
      await call(app, "DELETE", "/datasets", { ...bearer(key), "x-request-id": "d" });
      await call(app, "GET", "/listed/else", { ...bearer(key), "x-request-id": "e" });
      deepStrictEqual(["a", "b", "c", "d", "e"], await decisionsOf(server, key, 5));
    });

    test("a key that is bound to networks is decided by the socket's address, where there is one", async () => {
      const bound = await issue(server, ["datasets:read"], { allowed_networks: ["127.0.0.0/8"] });
      const answer = await call(app, "GET", "/datasets", { ...bearer(bound), "x-forwarded-for": "10.0.0.1" });
      const known = ON_NODE.has(name);
      deepStrictEqual(known ? [200, null] : [401, "address_not_allowed"], [
        answer.status,
        answer.headers.get("scopekey-code"),
      ]);
    });

    test("the address is what the application says it is, where it says one", async () => {
      const far = await begin({ gateway: server.url, apiKey: guardKey, address: () => "10.0.0.1" });
      const bound = await issue(server, ["datasets:read"], { allowed_networks: ["10.0.0.0/8"] });
      const elsewhere = await issue(server, ["datasets:read"], { allowed_networks: ["127.0.0.0/8"] });
      const [near, other] = [
        await call(far, "GET", "/datasets", bearer(bound)),
        await call(far, "GET", "/datasets", bearer(elsewhere)),
      ];
      await far.stop();
      deepStrictEqual([200, "address_not_allowed"], [near.status, other.body.code]);
    });
  });
}
