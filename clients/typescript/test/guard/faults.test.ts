import { deepStrictEqual, doesNotMatch, match, ok, strictEqual } from "node:assert/strict";
import type { ServerResponse } from "node:http";
import { after, before, describe, test } from "node:test";
import { Server } from "../support/server.js";
import { type App, FRAMEWORKS } from "./apps.js";
import { answering, type Listening, relay, silent, YES } from "./gateways.js";
import { issue } from "./keys.js";

const CANARY = "sck_live_canaryCANARY0123456789";
const GUARD = "sck_live_guardCANARY";
const no = { ...YES, allowed: false, code: "missing_permission", missing: ["datasets:read"] };

type Row = [why: string, status: number, body: string, headers?: Record<string, string>];
const ROWS: Row[] = [
  ["a yes that is a word", 200, JSON.stringify({ ...YES, allowed: "true" })],
  ["a yes that is a number", 200, JSON.stringify({ ...YES, allowed: 1 })],
  ["a yes with a reason against it", 200, JSON.stringify({ ...YES, code: "revoked_key" })],
  ["a yes about nobody", 200, JSON.stringify({ ...YES, key_id: null, organization: null, environment: null })],
  ["a yes that says half of whose it is", 200, JSON.stringify({ ...YES, organization: null })],
  ["a yes and nothing else", 200, JSON.stringify({ allowed: true })],
  ["a yes in a list", 200, JSON.stringify([YES])],
  ["a yes with a time that no header field holds", 200, JSON.stringify({ ...YES, expires_at: "now\r\nx-other: 1" })],
  ["a no with a permission that no header field holds", 200, JSON.stringify({ ...no, missing: ["a:b\r\nx-other: 1"] })],
  ["a no for a reason that is not known", 200, JSON.stringify({ ...no, code: "new_reason" })],
  ["a no for a reason that is none of a key", 200, JSON.stringify({ ...no, code: "not_found" })],
  ["a no without a reason", 200, JSON.stringify({ ...no, code: null })],
  ["no JSON", 200, "<html>yes</html>"],
  ["nothing", 200, ""],
  ["another good status", 201, JSON.stringify(YES)],
  ["a redirect", 307, JSON.stringify(YES), { location: "/v1/verify" }],
  ["a refusal of the guard's own key", 401, "{}", { "scopekey-code": "revoked_key" }],
  ["a refusal that repeats a key", 401, CANARY, { "scopekey-code": CANARY }],
  ["a fault", 500, JSON.stringify(YES)],
];

/** What one application answers to a caller with a key, and whether its handler ran for it. */
async function asked(app: App): Promise<[status: number, code: string | null, ran: number, text: string]> {
  const ran = app.ran();
  const answer = await fetch(`${app.url}/datasets`, { headers: { "x-api-key": CANARY } });
  const text = JSON.stringify([...answer.headers]) + (await answer.text());
  strictEqual(answer.status === 503 ? "5" : null, answer.headers.get("retry-after"));
  return [answer.status, answer.headers.get("scopekey-code"), app.ran() - ran, text];
}

for (const [name, begin] of Object.entries(FRAMEWORKS)) {
  describe(name, () => {
    let gateway: Listening;
    let app: App;
    let answer: (response: ServerResponse) => void;
    const told: string[] = [];
    before(async () => {
      gateway = await answering((response) => answer(response));
      app = await begin({ gateway: gateway.url, apiKey: GUARD, onFault: ({ message }) => told.push(message) });
    });
    after(async () => {
      await app.stop();
      gateway.stop();
    });

    test("a plain yes lets through: what the rows below change is looked at", async () => {
      answer = (response) => response.end(JSON.stringify(YES));
      deepStrictEqual([200, null, 1], (await asked(app)).slice(0, 3));
      answer = (response) => response.end(JSON.stringify(no));
      deepStrictEqual([401, "missing_permission", 0], (await asked(app)).slice(0, 3));
      deepStrictEqual([], told);
    });

    for (const [why, status, body, headers = {}] of ROWS) {
      test(`${why} lets nobody through, is asked for once, and tells no key`, async () => {
        answer = (response) => void response.writeHead(status, headers).end(body);
        const [before, heard] = [told.length, gateway.heard.length];
        const [code, reason, ran, text] = await asked(app);
        deepStrictEqual([503, "unavailable", 0], [code, reason, ran]);
        deepStrictEqual([1, 1], [told.length - before, gateway.heard.length - heard]);
        doesNotMatch(`${told.at(-1)}${text}`, /canary/i);
      });
    }

    test("an answer that breaks off lets nobody through", async () => {
      answer = (response) => {
        response.writeHead(200, { "content-length": "10000" });
        response.write(JSON.stringify(YES), () => response.destroy());
      };
      deepStrictEqual([503, "unavailable", 0], (await asked(app)).slice(0, 3));
    });

    test("a gateway that says nothing is waited for as long as was said, and no longer", async () => {
      const hanging = await silent();
      const waiting = await begin({
        gateway: hanging.url,
        apiKey: GUARD,
        timeoutMs: 200,
        onFault: ({ message }) => told.push(message),
      });
      const began = performance.now();
      const got = (await asked(waiting)).slice(0, 3);
      const took = performance.now() - began;
      await waiting.stop();
      hanging.stop();
      deepStrictEqual([503, "unavailable", 0], got);
      ok(took >= 190 && took < 1_500, `${took} ms`);
      match(told.at(-1) ?? "", /did not answer \(TimeoutError\)/);
    });

    test("what breaks in the application's own functions is a refusal, and so is what breaks while it is told", async () => {
      const hooks: ((error: Error) => unknown)[] = [
        ({ message }) => told.push(message),
        () => {
          throw new Error(CANARY);
        },
        () => Promise.reject(new Error(CANARY)),
      ];
      for (const onFault of hooks) {
        const address = (): string => {
          throw new RangeError(CANARY);
        };
        const broken = await begin({ gateway: gateway.url, apiKey: GUARD, address, onFault });
        const [status, code, ran, text] = await asked(broken);
        await broken.stop();
        deepStrictEqual([503, "unavailable", 0], [status, code, ran]);
        doesNotMatch(text, /canary/i);
      }
      strictEqual("the check broke (RangeError)", told.at(-1));
    });
  });
}

describe("with a real server", () => {
  let server: Server;
  let guardKey: string;
  let reader: string;
  before(async () => {
    server = await Server.start();
    guardKey = await issue(server, ["scopekey_verifications:write"]);
    reader = await issue(server, ["datasets:read"]);
  });
  after(() => server.stop());

  async function status(app: App): Promise<number> {
    const answer = await fetch(`${app.url}/datasets`, { headers: { authorization: `Bearer ${reader}` } });
    await answer.text();
    return answer.status;
  }

  test("while the server is away nothing runs, and afterwards it goes on, in every framework", async () => {
    const apps: App[] = [];
    for (const begin of Object.values(FRAMEWORKS)) {
      apps.push(await begin({ gateway: server.url, apiKey: guardKey, onFault: () => undefined }));
    }
    const all = (): Promise<number[]> => Promise.all(apps.map(status));
    const ran = (): number[] => apps.map((app) => app.ran());
    deepStrictEqual([200, 200, 200, 200], await all());
    await server.down();
    deepStrictEqual([503, 503, 503, 503], await all());
    deepStrictEqual([503, 503, 503, 503], await all());
    deepStrictEqual([1, 1, 1, 1], ran());
    await server.up();
    deepStrictEqual([200, 200, 200, 200], await all());
    deepStrictEqual([2, 2, 2, 2], ran());
    for (const app of apps) await app.stop();
  });

  for (const [name, begin] of Object.entries(FRAMEWORKS)) {
    test(`${name}: connections to the gateway are kept, fifty requests one after the other need one`, async () => {
      const counted = await relay(server.port);
      const app = await begin({ gateway: counted.url, apiKey: guardKey });
      for (let one = 0; one < 50; one += 1) strictEqual(200, await status(app));
      await app.stop();
      counted.stop();
      strictEqual(1, counted.opened());
    });

    test(`${name}: a guard whose own key may not ask lets nobody through, and says so`, async () => {
      const told: string[] = [];
      const app = await begin({ gateway: server.url, apiKey: reader, onFault: ({ message }) => told.push(message) });
      deepStrictEqual([503, 0], [await status(app), app.ran()]);
      await app.stop();
      match(told.join(), /answered this guard 401 \(missing_permission\): look at its own key/);
    });

    test(`${name}: a platform that follows RFC 6750 to the letter answers 403`, async () => {
      const app = await begin({ gateway: server.url, apiKey: guardKey, missingPermissionStatus: 403 });
      const answer = await fetch(`${app.url}/datasets`, { method: "DELETE", headers: { "x-api-key": reader } });
      deepStrictEqual([403, 403], [answer.status, ((await answer.json()) as { status: number }).status]);
      await app.stop();
    });
  }
});
