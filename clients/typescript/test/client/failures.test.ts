import { deepStrictEqual, doesNotMatch, match, ok, rejects, strictEqual } from "node:assert/strict";
import { after, before, beforeEach, mock, test } from "node:test";
import { inspect } from "node:util";
import { sleep } from "../../src/client/retry.js";
import * as sdk from "../../src/index.js";
import { failure, KEY, patient, refusal, SECRET, TellingServer, type Told } from "./world.js";

let server: TellingServer;
before(async () => {
  server = await TellingServer.start();
});
after(() => server.stop());
beforeEach(() => server.tell({}));

for (const [code, status, kind] of [
  ["no_credential", 401, sdk.InvalidKeyError],
  ["unknown_key", 401, sdk.InvalidKeyError],
  ["address_not_allowed", 401, sdk.InvalidKeyError],
  ["missing_permission", 401, sdk.MissingPermissionError],
  ["missing_permission", 403, sdk.MissingPermissionError],
  ["unlisted_operation", 401, sdk.UnlistedOperationError],
  ["unreadable_target", 400, sdk.UnreadableTargetError],
  ["version_conflict", 412, sdk.RequestRefusedError],
  ["untrusted_proxy", 403, sdk.RequestRefusedError],
  ["rate_limited", 429, sdk.RateLimitedError],
  ["journal_unavailable", 503, sdk.UnavailableError],
] as const) {
  test(`${code} with ${status} is a ${kind.name}, with its own code`, async () => {
    server.tell(refusal(code, status));
    const error = await failure(patient(server.url, { retries: 0 }).client.request("GET", "/"));
    ok(error instanceof kind);
    deepStrictEqual(
      [code, status, "req_1", "What happened. What to do."],
      [error.code, error.status, error.requestId, error.message],
    );
  });
}

test("every code that a server can answer with has its type", async () => {
  for (const [code, { status }] of Object.entries(sdk.PROBLEMS)) {
    server.tell(refusal(code, status));
    strictEqual(code, (await failure(patient(server.url, { retries: 0 }).client.request("GET", "/"))).code);
  }
});

test("a missing permission says what to ask for", async () => {
  const detail =
    "This call needs Write Datasets (datasets:write) and Read Jobs (jobs:read); the key does not hold them. Ask.";
  const more = {
    detail,
    missing: ["datasets:write", "jobs:read"],
    required: [["a:read"], ["b:read", "c:read"]],
    operation: "GET /",
    key_id: "key_1",
  };
  server.tell(refusal("missing_permission", 401, more));
  const error = await failure(patient(server.url).client.request("GET", "/"));
  ok(error instanceof sdk.MissingPermissionError);
  deepStrictEqual(
    [["datasets:write", "jobs:read"], [["a:read"], ["b:read", "c:read"]], "GET /", "key_1"],
    [error.missing, error.required, error.operation, error.keyId],
  );
  strictEqual("Ask for Write Datasets (datasets:write) and Read Jobs (jobs:read).", error.ask);
});

test("a refusal whose document a proxy dropped is known by its header fields", async () => {
  const headers = {
    "scopekey-code": "missing_permission",
    "scopekey-missing": "a:read, b:read",
    "scopekey-requires": "a:read, b:read; c:read",
  };
  server.tell({ status: 401, headers, body: "" });
  const error = await failure(patient(server.url).client.request("GET", "/"));
  ok(error instanceof sdk.MissingPermissionError);
  deepStrictEqual(
    [
      ["a:read", "b:read"],
      [["a:read", "b:read"], ["c:read"]],
    ],
    [error.missing, error.required],
  );
  match(error.message, /^This call needs a:read and b:read; the key does not hold them\./);
});

for (const [why, told, problemCode] of [
  ["the platform's own refusal", { status: 404, body: "<h1>no such page</h1>" }, undefined],
  ["a redirect, which is not followed", { status: 302, headers: { location: "http://127.0.0.1:9/" } }, undefined],
  ["a code that this version does not know", refusal("made_up_later", 401), "made_up_later"],
  [
    "a document that is none",
    { status: 400, headers: { "content-type": "application/problem+json" }, body: "[" },
    undefined,
  ],
  ["a name that every object has", refusal("constructor", 400), "constructor"],
] as [string, Told, string | undefined][]) {
  test(`${why} is an ApiError with status and body`, async () => {
    server.tell(told);
    const error = await failure(patient(server.url).client.request("GET", "/"));
    ok(error instanceof sdk.ApiError);
    deepStrictEqual([told.status, told.body ?? "{}", problemCode], [error.status, error.body, error.problemCode]);
    strictEqual(1, server.heard.length);
  });
}

for (const [why, method, told, tries, waited] of [
  [
    "a rate limit, whatever the method",
    "POST",
    refusal("rate_limited", 429, {}, { "retry-after": "2" }),
    3,
    [2_000, 2_000],
  ],
  ["a platform's own rate limit", "POST", { status: 429 }, 3, [250, 500]],
  ["a node that cannot answer", "PATCH", refusal("stale_replica", 503), 3, [250, 500]],
  ["a fault, where the call may be repeated", "PUT", { status: 502 }, 3, [250, 500]],
  ["a fault, where it may not", "POST", { status: 502 }, 1, []],
  ["a broken connection, where the call may be repeated", "GET", { broken: true }, 3, [250, 500]],
  ["a broken connection, where it may not", "POST", { broken: true }, 1, []],
  ["a wait that is too long", "GET", refusal("unavailable", 503, {}, { "retry-after": "61" }), 1, []],
  ["a refusal", "GET", refusal("missing_permission", 401), 1, []],
  ["another fault of the platform", "GET", { status: 501 }, 1, []],
] as [string, string, Told, number, number[]][]) {
  test(`${why}: ${tries} ${tries === 1 ? "try" : "tries"}`, async () => {
    server.tell(told);
    const { client, waited: found } = patient(server.url);
    await failure(client.request(method, "/"));
    deepStrictEqual([tries, waited], [server.heard.length, found]);
  });
}

test("a call with an idempotency key is tried again, always with the same one", async () => {
  server.tell({ broken: true }, { status: 500 }, { body: '{"key": {}, "secret": null}' });
  strictEqual(null, (await patient(server.url).client.createKey({ name: "a", permissions: [] })).secret);
  deepStrictEqual(
    [3, 1],
    [server.heard.length, new Set(server.heard.map((one) => one.headers["idempotency-key"])).size],
  );
});

test("a date in Retry-After is waited for", async () => {
  server.tell({ status: 503, headers: { "retry-after": new Date(Date.now() + 20_000).toUTCString() } }, {});
  const { client, waited } = patient(server.url);
  await client.request("GET", "/");
  ok((waited[0] ?? 0) > 15_000 && (waited[0] ?? 0) <= 20_000, String(waited));
});

test("a try that takes too long is told as such", async () => {
  server.tell({ silent: true });
  const error = await failure(patient(server.url, { retries: 0, timeoutMs: 50 }).client.request("GET", "/"));
  deepStrictEqual(["timeout", true], [error.code, error instanceof sdk.UnreachableError]);
});

test("whoever calls it off gets their own reason, and no further try", async () => {
  server.tell({ silent: true });
  const off = new AbortController();
  const call = patient(server.url).client.request("GET", "/", { signal: off.signal });
  const reason = new Error("enough");
  setTimeout(() => off.abort(reason), 30);
  await rejects(call, reason);
  strictEqual(1, server.heard.length);
});

test("waiting for another try ends when the call is called off", async () => {
  const off = new AbortController();
  const waiting = sleep(60_000, off.signal);
  off.abort(new Error("enough"));
  await rejects(waiting, /enough/);
  await rejects(sleep(60_000, off.signal), /enough/);
  await sleep(0, undefined);
});

test("the newest position goes with the calls that follow", async () => {
  server.tell({ headers: { "scopekey-position": "feed-7" } }, {}, {});
  const { client } = patient(server.url);
  for (let one = 0; one < 3; one += 1) await client.request("GET", "/");
  deepStrictEqual(
    [undefined, "feed-7", "feed-7"],
    server.heard.map((one) => one.headers["scopekey-position"]),
  );
});

test("a key that ends soon is told once, also by a refusal; what the hook throws is kept from the call", async () => {
  const soon = new Date(Date.now() + 3_600_000).toISOString();
  server.tell(
    { headers: { "scopekey-key-expires": soon } },
    refusal("missing_permission", 401, {}, { "scopekey-key-expires": soon }),
    {},
  );
  const told: sdk.KeyExpiry[] = [];
  const { client } = patient(server.url, {
    onKeyExpiring: (expiry) => {
      told.push(expiry);
      throw new Error("the hook failed");
    },
  });
  await client.request("GET", "/");
  await failure(client.request("GET", "/"));
  deepStrictEqual(
    [["key_canary000001", soon]],
    told.map((one) => [one.keyId, one.expiresAt.toISOString()]),
  );
  ok((told[0]?.remaining ?? 0) > 3_500_000);
});

test("a key is nowhere but in its header: not where clients and errors are printed, nor in any log", async () => {
  const said: string[] = [];
  const keep = (...words: unknown[]): void => void said.push(words.map((one) => inspect(one)).join(" "));
  const debug = mock.method(console, "debug", keep);
  const warn = mock.method(console, "warn", keep);
  const expires = { "scopekey-key-expires": new Date().toISOString() };
  const { client } = patient(server.url, { verbose: true, timeoutMs: 50 });
  const shown = [
    inspect(client, { depth: 9, showHidden: true }),
    JSON.stringify({ client }),
    String(client),
    client.getApiKey(),
  ];
  for (const told of [
    refusal("unknown_key", 401, {}, expires),
    { broken: true },
    { silent: true },
    { status: 500, body: "?" },
    { body: "no json" },
  ] as Told[]) {
    server.tell(told);
    const error = await failure(client.whoami()).catch((reason: unknown) => reason as Error);
    shown.push(
      inspect(error, { depth: 9, showHidden: true }),
      String(error.stack),
      inspect(error.cause),
      JSON.stringify(error),
    );
  }
  debug.mock.restore();
  warn.mock.restore();
  ok(
    said.some((line) => line.includes("/v1/whoami")),
    "something was logged",
  );
  ok(
    said.some((line) => line.includes("ends at")),
    "the end of the key was told",
  );
  doesNotMatch([...shown, ...said].join("\n"), SECRET);
  match(shown.join(), /sck_live_canary000001…/);
  strictEqual(KEY, client.getApiKey({ reveal: true }));
  match(String(server.heard[0]?.headers.authorization), SECRET);
});
