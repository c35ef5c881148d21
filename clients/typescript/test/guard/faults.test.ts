import { deepStrictEqual, doesNotMatch, ok, strictEqual, throws } from "node:assert/strict";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { type AddressInfo, connect, createServer as createTcp } from "node:net";
import { after, before, describe, test } from "node:test";
import { guard } from "../../src/guard/fetch.js";
import { Server } from "../support/server.js";
import { type App, FRAMEWORKS } from "./apps.js";

const KEY = "sck_live_canaryCANARY0123456789";
const YES = {
  allowed: true,
  code: null,
  key_id: "key_000000000001",
  organization: "org_000000000001",
  environment: "live",
  permissions: ["datasets:read"],
  missing: [],
  expires_at: null,
  position: 1,
  age: 0,
  stale: false,
};

/** A gateway that answers what a row says. */
async function answering(
  answer: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<[string, () => void]> {
  const server = createServer((request, response) => {
    request.resume();
    answer(request, response);
  });
  await new Promise<void>((up) => server.listen(0, "127.0.0.1", up));
  const stop = (): void => {
    server.closeAllConnections();
    server.close();
  };
  return [`http://127.0.0.1:${(server.address() as AddressInfo).port}`, stop];
}

async function asked(gateway: string, told: string[], timeoutMs = 2_000): Promise<[Response, number]> {
  let ran = 0;
  const requires = guard({ gateway, apiKey: "guard", timeoutMs, onFault: (error) => void told.push(error.message) });
  const handler = requires("datasets:read", () => new Response(String(++ran)));
  return [await handler(new Request("http://app/", { headers: { "x-api-key": KEY } })), ran];
}

test("a plain yes lets through: what the rows below answer is looked at", async () => {
  const [gateway, stop] = await answering((_, response) => response.end(JSON.stringify(YES)));
  const [answer, ran] = await asked(gateway, []);
  stop();
  deepStrictEqual([200, 1], [answer.status, ran]);
});

for (const [why, status, body, headers] of [
  ["a yes that is a word", 200, JSON.stringify({ ...YES, allowed: "true" }), {}],
  ["a yes with a reason against it", 200, JSON.stringify({ ...YES, code: "revoked_key" }), {}],
  ["a yes about nobody", 200, JSON.stringify({ ...YES, key_id: null }), {}],
  ["a yes and nothing else", 200, JSON.stringify({ allowed: true }), {}],
  ["a yes in a list", 200, JSON.stringify([YES]), {}],
  ["no JSON", 200, "<html>yes</html>", {}],
  ["nothing", 200, "", {}],
  ["another good status", 201, JSON.stringify(YES), {}],
  ["a redirect", 307, JSON.stringify(YES), { location: "http://127.0.0.1:9/v1/verify" }],
  ["a refusal of the guard's own key", 401, "{}", { "scopekey-code": "missing_permission" }],
  ["a fault", 500, JSON.stringify(YES), {}],
] as const) {
  test(`${why} lets nobody through, and no key is told`, async () => {
    const [gateway, stop] = await answering((_, response) => {
      response.writeHead(status, headers);
      response.end(body);
    });
    const told: string[] = [];
    const [answer, ran] = await asked(gateway, told);
    stop();
    deepStrictEqual(
      [503, 0, "unavailable", "5"],
      [answer.status, ran, answer.headers.get("scopekey-code"), answer.headers.get("retry-after")],
    );
    strictEqual(1, told.length);
    doesNotMatch(`${told}${await answer.text()}`, /canary|CANARY/);
  });
}

test("a gateway that says nothing is waited for as long as was said, and no longer", async () => {
  const silent = createTcp((socket) => void socket.on("error", () => undefined));
  await new Promise<void>((up) => silent.listen(0, "127.0.0.1", up));
  const told: string[] = [];
  const [answer, ran] = await asked(`http://127.0.0.1:${(silent.address() as AddressInfo).port}`, told, 50);
  silent.close();
  deepStrictEqual([503, 0, 1], [answer.status, ran, told.length]);
});

test("what a guard cannot work with is refused at once", () => {
  const good = { gateway: "https://gateway.example", apiKey: KEY };
  guard(good);
  for (const wrong of [
    { gateway: "http://gateway.example" },
    { gateway: "https://user:secret@gateway.example" },
    { gateway: "gateway" },
    { apiKey: undefined },
    { apiKey: "" },
    { apiKey: "two words" },
    { timeoutMs: 0 },
    { timeoutMs: Number.NaN },
  ]) {
    throws(() => guard({ ...good, ...wrong }), TypeError, JSON.stringify(wrong));
  }
  throws(() => guard(good)(() => new Response()), TypeError);
});

describe("with a real server", () => {
  let server: Server;
  let guardKey: string;
  let reader: string;
  before(async () => {
    server = await Server.start();
    guardKey = await server.key("guard", "--permission", "scopekey_verifications:write");
    reader = await server.key("reader", "--permission", "datasets:read");
  });
  after(() => server.stop());

  for (const [name, begin] of Object.entries(FRAMEWORKS)) {
    test(`${name}: while the server is away nothing runs, and afterwards it goes on`, async () => {
      const app: App = await begin({ gateway: server.url, apiKey: guardKey, onFault: () => undefined });
      const status = async (): Promise<number> => {
        const answer = await fetch(`${app.url}/datasets`, { headers: { authorization: `Bearer ${reader}` } });
        await answer.text();
        return answer.status;
      };
      strictEqual(200, await status());
      await server.down();
      deepStrictEqual([503, 503, 1], [await status(), await status(), app.ran()]);
      await server.up();
      deepStrictEqual([200, 2], [await status(), app.ran()]);
      await app.stop();
    });
  }

  test("connections to the gateway are kept: fifty requests, one after the other, need one", async () => {
    let opened = 0;
    const relay = createTcp((near) => {
      opened += 1;
      const far = connect(server.port, "127.0.0.1");
      near.pipe(far).pipe(near);
      for (const end of [near, far]) end.on("error", () => undefined);
    });
    await new Promise<void>((up) => relay.listen(0, "127.0.0.1", up));
    const requires = guard({ gateway: `http://127.0.0.1:${(relay.address() as AddressInfo).port}`, apiKey: guardKey });
    const handler = requires("datasets:read", () => new Response("yes"));
    for (let one = 0; one < 50; one += 1) {
      const answer = await handler(new Request("http://app/", { headers: { "x-api-key": reader } }));
      strictEqual("yes", await answer.text());
    }
    relay.close();
    ok(opened <= 2, `${opened} connections`);
  });

  test("a platform that follows RFC 6750 to the letter answers 403", async () => {
    const requires = guard({ gateway: server.url, apiKey: guardKey, missingPermissionStatus: 403 });
    const answer = await requires(
      "datasets:write",
      () => new Response(),
    )(new Request("http://app/", { headers: { "x-api-key": reader } }));
    const document = (await answer.json()) as { status: number };
    deepStrictEqual([403, 403], [answer.status, document.status]);
  });
});
