import { deepStrictEqual, doesNotMatch, strictEqual, throws } from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";
import { guard as guardExpress } from "../../src/guard/express.js";
import { guard as guardFastify } from "../../src/guard/fastify.js";
import { guard } from "../../src/guard/fetch.js";
import { operation } from "../../src/guard/guard.js";
import { guard as guardHono } from "../../src/guard/hono.js";
import { targetOf } from "../../src/guard/url.js";
import { freePort } from "../support/server.js";
import { answering, YES } from "./gateways.js";

interface Given {
  gateway: string | URL;
  apiKey: string | undefined;
  timeoutMs?: number;
  missingPermissionStatus?: 401 | 403;
}

const MAKE: ((options: Given) => (...needed: string[]) => unknown)[] = [
  (options) => guardExpress(options),
  (options) => guardFastify(options),
  (options) => guardHono(options),
];
const KEY = "sck_live_canaryCANARY0123456789";
const GOOD = { gateway: "https://gateway.example", apiKey: KEY };

for (const gateway of [
  "https://gateway.example",
  "https://gateway.example/scopekey/",
  "http://localhost:8700",
  "http://127.0.0.1:8700",
  "http://127.8.7.6:8700",
  "http://[::1]:8700",
  new URL("http://127.0.0.1:8700"),
]) {
  test(`a gateway may be ${gateway}`, () => {
    strictEqual("function", typeof guard({ ...GOOD, gateway }));
  });
}

for (const wrong of [
  { gateway: "http://gateway.example" },
  { gateway: "http://127.0.0.1.example" },
  { gateway: "http://localhost.example" },
  { gateway: "http://10.0.0.1" },
  { gateway: `https://${KEY}@gateway.example` },
  { gateway: "ftp://127.0.0.1" },
  { gateway: "127.0.0.1:8700" },
  { gateway: "" },
  { apiKey: undefined },
  { apiKey: "" },
  { apiKey: `${KEY}\n` },
  { apiKey: `${KEY} two` },
  { timeoutMs: 0 },
  { timeoutMs: 0.5 },
  { timeoutMs: 60_001 },
  { timeoutMs: Number.NaN },
  { timeoutMs: Number.POSITIVE_INFINITY },
  { missingPermissionStatus: 404 as 403 },
]) {
  test(`a guard is not made with ${inspect(wrong).replaceAll(KEY, "KEY")}, and the error holds no key`, () => {
    for (const make of [guard, ...MAKE]) {
      throws(
        () => make({ ...GOOD, ...wrong }),
        (error) => error instanceof TypeError && !/canary/i.test(inspect(error)),
      );
    }
  });
}

test("a route that needs nothing is not guarded, so it is refused", () => {
  throws(() => guard(GOOD)(() => new Response()), TypeError);
  for (const make of MAKE) {
    throws(() => make(GOOD)(), TypeError);
    throws(() => make(GOOD)("datasets"), TypeError);
    throws(() => make(GOOD)("datasets:read, jobs:read"), TypeError);
  }
});

test("a guard shows no key when it is printed", () => {
  for (const make of [guard, ...MAKE]) {
    doesNotMatch(inspect(make(GOOD), { depth: 9, showHidden: true }), /canary/i);
  }
});

test("without a hook the console is told, once a minute", async (t) => {
  const lines: unknown[][] = [];
  t.mock.method(console, "error", (...line: unknown[]) => void lines.push(line));
  let now = 1_000_000;
  t.mock.method(Date, "now", () => now);
  const port = await freePort();
  const handler = guard({ gateway: `http://127.0.0.1:${port}`, apiKey: KEY })("datasets:read", () => new Response());
  const ask = (): Promise<Response> => handler(new Request("http://app/", { headers: { "x-api-key": KEY } }));
  deepStrictEqual([503, 503], [(await ask()).status, (await ask()).status]);
  now = 1_059_999;
  await ask();
  const line = `scopekey: 127.0.0.1:${port} did not answer (ECONNREFUSED): requests are refused until it does`;
  deepStrictEqual([[line]], lines);
  now = 1_060_000;
  await ask();
  deepStrictEqual([[line], [line]], lines);
});

test("a gateway below a path is asked there, and told the key, what is needed and where from, and nothing else", async () => {
  const gateway = await answering((response) => response.end(JSON.stringify(YES)));
  const paths: string[] = [];
  const requires = guard({
    gateway: `${gateway.url}/keys/`,
    apiKey: "guard",
    address: () => "10.0.0.1",
    fetch: (input, init) => {
      paths.push(new URL(String(input)).pathname);
      return fetch(input, init);
    },
  });
  const sent = { headers: { "x-api-key": KEY, cookie: "session=1" } };
  await requires("a:read", "b:read", () => new Response())(new Request("http://app/x?token=1", sent));
  await requires.listed(() => new Response())(new Request("http://app/x?token=1", sent));
  gateway.stop();
  deepStrictEqual(["/keys/v1/verify", "/keys/v1/verify"], paths);
  deepStrictEqual(
    [
      { key: KEY, permissions: ["a:read", "b:read"], address: "10.0.0.1" },
      { key: KEY, operation: "GET /x", address: "10.0.0.1" },
    ],
    gateway.heard.map((body) => JSON.parse(body) as unknown),
  );
});

for (const [url, expected] of [
  ["http://app/a/b?c=/d", "/a/b?c=/d"],
  ["http://app/a/../b", "/a/../b"],
  ["http://app/a%2fb", "/a%2fb"],
  ["http://app//b", "//b"],
  ["http://app?next=/a", ""],
  ["http://app", ""],
  ["/a", ""],
] as const) {
  test(`the target of ${url} is "${expected}"`, () => {
    strictEqual(expected, targetOf(url));
  });
}

test("the query is no part of an operation", () => {
  deepStrictEqual({ operation: "GET /a" }, operation("GET", "/a?b?c\nd"));
});

test("a target that no rule can list is refused here", async () => {
  const gateway = await answering((response) => response.end(JSON.stringify(YES)));
  const handler = guard({ ...GOOD, gateway: gateway.url }).listed(() => new Response());
  const headers = new Headers({ "x-api-key": KEY });
  for (const url of ["http://app", "http://app/ä", `http://app/${"a".repeat(9_000)}`]) {
    // Not every server makes requests whose URL is normalized.
    const answer = await handler({ url, method: "GET", headers } as Request);
    deepStrictEqual([400, "unreadable_target"], [answer.status, answer.headers.get("scopekey-code")]);
  }
  gateway.stop();
  deepStrictEqual([], gateway.heard);
});
