// What is made of answers that are not as they should be, and what is learned from them.

import { deepStrictEqual, doesNotMatch, match, ok, strictEqual } from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { inspect } from "node:util";
import { retryAfterOf } from "../../src/client/refusal.js";
import { ApiError, InvalidKeyError, MissingPermissionError, UnreachableError } from "../../src/index.js";
import { failure, KEY, patient, refusal, SECRET, TellingServer, type Told } from "./world.js";

const LONGEST = 65_536;
let server: TellingServer;
before(async () => {
  server = await TellingServer.start();
});
after(() => server.stop());
beforeEach(() => server.tell({}));

for (const [why, told] of [
  ["a fault that repeats the request", { status: 400, body: `{"headers": {"authorization": "Bearer ${KEY}"}}` }],
  ["a refusal that repeats the request", refusal("invalid_request", 422, { detail: `No: ${KEY}.` })],
  ["a long fault that repeats the request", { status: 400, body: `${"x".repeat(LONGEST - 40)}${KEY}` }],
  ["a long fault full of keys", { status: 400, body: `${KEY}${"x".repeat(LONGEST - 74)}${KEY}${KEY}` }],
] as [string, Told][]) {
  test(`${why} is told without the key`, async () => {
    server.tell(told);
    const error = await failure(patient(server.url).client.request("GET", "/"));
    const shown = inspect(error, { depth: 9, showHidden: true, maxStringLength: null });
    doesNotMatch(`${shown}${JSON.stringify(error)}${error.message}`, SECRET);
    match(`${shown}${error.message}`, /sck_live_canary0/);
  });
}

test("a short key of a platform's own form leaves the answers that hold its letters as they are", async () => {
  server.tell({ status: 400, body: "the key is monkey business" });
  const error = await failure(patient(server.url, { apiKey: "key" }).client.request("GET", "/"));
  strictEqual("the key is monkey business", error instanceof ApiError && error.body);
});

test("of an endless answer no more is read than is kept", async () => {
  server.tell({ status: 404, body: "é".repeat(500_000), hanging: true });
  const error = await failure(patient(server.url).client.request("GET", "/"));
  ok(error instanceof ApiError);
  ok(error.body.length > 30_000 && error.body.length <= LONGEST, String(error.body.length));
  doesNotMatch(error.body, /[^é]/);
});

test("a refusal whose document breaks off is known by its header fields", async () => {
  server.tell({ ...refusal("missing_permission", 401, {}, { "scopekey-missing": "a:read" }), cut: true });
  const error = await failure(patient(server.url).client.request("POST", "/"));
  ok(error instanceof MissingPermissionError);
  deepStrictEqual(["a:read"], error.missing);
});

test("a refusal in the place of whose document a proxy puts its own is known by its header fields", async () => {
  const headers = { "content-type": "application/problem+json", "scopekey-code": "expired_key" };
  server.tell({
    status: 401,
    headers,
    body: '{"code": "AUTH_17", "detail": "Bad gateway policy", "missing": ["x:y"]}',
  });
  const error = await failure(patient(server.url).client.request("GET", "/"));
  ok(error instanceof InvalidKeyError);
  strictEqual("expired_key", error.code);
  doesNotMatch(error.message, /gateway/);
});

test("an answer that hangs in the middle of a fault is told as late", async () => {
  server.tell({ status: 400, hanging: true });
  const error = await failure(patient(server.url, { timeoutMs: 100, retries: 0 }).client.request("GET", "/"));
  strictEqual("timeout", error.code);
});

test("an answer of the platform that is no JSON is its own, with its text, and is not asked for again", async () => {
  server.tell({ body: "<h1>Welcome</h1>" });
  const error = await failure(patient(server.url).client.requestJson("DELETE", "/"));
  ok(error instanceof ApiError);
  deepStrictEqual([200, "<h1>Welcome</h1>", 1], [error.status, error.body, server.heard.length]);
});

test("an answer without content is no JSON and no fault", async () => {
  server.tell({ status: 204, body: "" });
  strictEqual(undefined, await patient(server.url).client.requestJson("DELETE", "/"));
  strictEqual(1, server.heard.length);
});

test("an answer that is none of Scopekey's is told so; what stood in it is not repeated", async () => {
  server.tell({ body: `{"secret": "${KEY}", ` });
  const error = await failure(patient(server.url, { retries: 0 }).client.createKey({ name: "a", permissions: [] }));
  ok(error instanceof UnreachableError);
  match(error.message, /answered something that is no answer of Scopekey's/);
  doesNotMatch(inspect(error, { depth: 9 }), SECRET);
});

for (const call of ["showCheckpoint", "showPublicKey"] as const) {
  test(`the text of ${call} that breaks off is asked for again`, async () => {
    server.tell({ body: "half", cut: true }, { body: "whole" });
    strictEqual("whole", await patient(server.url).client[call]());
  });
}

test("a tile that breaks off, each time, is no answer", async () => {
  server.tell({ body: "half", cut: true });
  ok((await failure(patient(server.url).client.showTile("tile/0/000"))) instanceof UnreachableError);
  strictEqual(3, server.heard.length);
});

test("an older position that comes late does not replace a newer one; another log's does", async () => {
  const said = ["feed-9", "feed-10", "feed-8", "other-1", "opaque", "feed-2"];
  server.tell(...said.map((position) => ({ headers: { "scopekey-position": position } })));
  const { client } = patient(server.url);
  for (let one = 0; one < said.length + 1; one += 1) await client.request("GET", "/");
  deepStrictEqual(
    [undefined, "feed-9", "feed-10", "feed-10", "other-1", "opaque", "feed-2"],
    server.heard.map((one) => one.headers["scopekey-position"]),
  );
});

test("a hook that fails later does not end the program", async () => {
  const lost: unknown[] = [];
  const keep = (reason: unknown): void => void lost.push(reason);
  process.on("unhandledRejection", keep);
  server.tell({ headers: { "scopekey-key-expires": new Date().toISOString() } });
  let asked = 0;
  const onKeyExpiring = async (): Promise<void> => {
    asked += 1;
    throw new Error("the hook failed");
  };
  await patient(server.url, { onKeyExpiring }).client.request("GET", "/");
  await setImmediate();
  process.off("unhandledRejection", keep);
  deepStrictEqual([1, []], [asked, lost]);
});

for (const value of ["-5", "1.5", "soon", "12h", "Infinity"]) {
  test(`a Retry-After of ${value} is not understood: the usual wait`, async () => {
    server.tell({ status: 503, headers: { "retry-after": value } }, {});
    const { client, waited } = patient(server.url);
    await client.request("GET", "/");
    deepStrictEqual([250], waited);
  });
}

test("a wait longer than any clock is too long", async () => {
  server.tell({ status: 503, headers: { "retry-after": "9".repeat(400) } });
  await failure(patient(server.url).client.request("GET", "/"));
  strictEqual(1, server.heard.length);
});

test("a date in the oldest form is in GMT, wherever the program runs", () => {
  const at = Date.UTC(1994, 10, 6, 8, 49, 37);
  for (const value of ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"]) {
    strictEqual(5_000, retryAfterOf(new Headers({ "retry-after": value }), at - 5_000));
  }
});

test("a connection is kept over faults", async () => {
  const own = await TellingServer.start();
  own.tell({ status: 400, body: "x".repeat(1_000) });
  const { client } = patient(own.url);
  for (let one = 0; one < 5; one += 1) {
    await failure(client.request("GET", "/"));
    await setImmediate();
  }
  own.stop();
  strictEqual(1, new Set(own.heard.map((one) => one.port)).size);
});
