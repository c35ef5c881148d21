// What is sent: header fields and their precedence, bodies, limits; and what is refused before anything is.

import { deepStrictEqual, ok, strictEqual, throws } from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { ConfigurationError, type RequestOptions } from "../../src/index.js";
import { failure, patient, TellingServer } from "./world.js";

let server: TellingServer;
before(async () => {
  server = await TellingServer.start();
});
after(() => server.stop());
beforeEach(() => server.tell({}));

/** The header fields that a call arrives with. */
async function arrived(options: RequestOptions, headers: Record<string, string> = {}): Promise<NodeJS.Dict<unknown>> {
  await patient(server.url, { headers }).client.request("POST", "/", options);
  return server.heard[0]?.headers ?? {};
}

/** A body that comes in two parts and can be read once. */
function stream(): ReadableStream<Uint8Array> {
  return new Blob(["in ", "parts"]).stream();
}

test("a call's own header field replaces the client's, however it is spelled", async () => {
  const headers = await arrived({ headers: { accept: "text/csv" } }, { Accept: "application/json", "X-Team": "a" });
  deepStrictEqual(["text/csv", "a"], [headers.accept, headers["x-team"]]);
});

test("a call's idempotency key replaces the client's header field", async () => {
  const headers = await arrived({ idempotencyKey: "of-the-call" }, { "Idempotency-Key": "of-the-client" });
  strictEqual("of-the-call", headers["idempotency-key"]);
});

test("JSON is sent as such, or as the kind of JSON that the call names", async () => {
  strictEqual("application/json", (await arrived({ json: {} }))["content-type"]);
  server.tell({});
  const patch = { "Content-Type": "application/merge-patch+json" };
  strictEqual("application/merge-patch+json", (await arrived({ json: {}, headers: patch }))["content-type"]);
});

test("nobody's header field takes the place of the key", async () => {
  const headers = await arrived({ headers: { authorization: "Bearer other" } }, { Authorization: "Basic x" });
  ok(String(headers.authorization).startsWith("Bearer sck_live_"));
});

test("a stream is sent, once", async () => {
  await patient(server.url).client.request("PUT", "/", { body: stream() });
  strictEqual("in parts", server.heard[0]?.body);
  server.tell({ status: 503 });
  strictEqual("api_error", (await failure(patient(server.url).client.request("PUT", "/", { body: stream() }))).code);
  strictEqual(1, server.heard.length);
});

for (const [why, method, options] of [
  ["a body where the method has none", "GET", { json: {} }],
  ["a body where the method has none, sent as it is", "head", { body: "a" }],
  ["a method that fetch does not send", "TRACE", {}],
  ["a header field with a line end", "POST", { headers: { "x-a": "a\nsecret" } }],
  ["a header field without a name", "POST", { headers: { "": "secret" } }],
  ["an idempotency key with a line end", "POST", { idempotencyKey: "secret\r\nx: y" }],
  ["an empty idempotency key", "POST", { idempotencyKey: "" }],
  ["a time limit of nothing", "GET", { timeoutMs: 0 }],
  ["a time limit that is no number", "GET", { timeoutMs: Number.NaN }],
] as [string, string, RequestOptions][]) {
  test(`${why} is refused, and nothing is sent`, async () => {
    const error = await failure(patient(server.url).client.request(method, "/", options));
    deepStrictEqual(["bad_request", 0], [error.code, server.heard.length]);
    ok(!error.message.includes("secret"), error.message);
  });
}

for (const options of [
  { retries: Number.NaN },
  { retries: -1 },
  { retries: 0.5 },
  { timeoutMs: -1 },
  { timeoutMs: Number.NaN },
  { headers: { "x a": "secret" } },
]) {
  test(`no client is made with ${Object.entries(options).flat().map(String).join(" ")}`, () => {
    throws(() => patient(server.url, options), ConfigurationError);
  });
}

test("a time limit may be endless, or longer than a timer can count", async () => {
  for (const timeoutMs of [Number.POSITIVE_INFINITY, 2 ** 40]) {
    const answer = await patient(server.url, { retries: 0, timeoutMs }).client.request("GET", "/");
    strictEqual(200, answer.status);
  }
});
