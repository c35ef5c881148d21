import { deepStrictEqual, match, ok, rejects, strictEqual, throws } from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import {
  ConfigurationError,
  InvalidKeyError,
  MissingPermissionError,
  RequestRefusedError,
  ScopekeyClient,
  UnreachableError,
} from "../../src/index.js";
import { freePort, Server } from "../support/server.js";
import { KEY } from "./world.js";

describe("a real server", () => {
  let server: Server;
  let client: ScopekeyClient;
  before(async () => {
    server = await Server.start();
    client = new ScopekeyClient({ apiKey: server.operator, environment: server.url });
  });
  after(() => server.stop());

  test("a key's whole life", async () => {
    const { key, secret } = await client.createKey({ name: "a", permissions: ["datasets:read"], expires_in: "1d" });
    strictEqual("active", (await client.showKey(key.id)).status);
    strictEqual("b", (await client.editKey(key.id, { name: "b" }, { version: key.version })).name);
    const rotated = await client.rotateKey(key.id, { overlap: "0s" });
    ok(rotated.secret !== null && rotated.secret !== secret);
    deepStrictEqual(["datasets:read"], (await client.keyUsage(key.id, { days: 7 })).unused);
    deepStrictEqual(
      [],
      (await client.reachKey(key.id, { without: ["datasets:read"] })).open.filter((one) => one.includes("datasets")),
    );
    strictEqual("revoked", (await client.revokeKey(key.id, { reason: "unused", comment: "over" })).status);
  });

  test("a key knows itself, may ask for more than it holds in vain, and can end itself", async () => {
    const { secret } = await client.createKey({ name: "self", permissions: ["datasets:read"] });
    const own = new ScopekeyClient({ apiKey: secret ?? "", environment: server.url, onKeyExpiring: () => undefined });
    strictEqual("self", (await own.whoami()).key.name);
    const refused = await own.createKey({ name: "x", permissions: [] }).catch((error: unknown) => error);
    ok(refused instanceof MissingPermissionError);
    deepStrictEqual(["scopekey_keys:write"], refused.missing);
    strictEqual("revoked", (await own.revokeSelf({ reason: "other" })).status);
    await rejects(own.whoami(), (error) => error instanceof InvalidKeyError && error.code === "revoked_key");
  });

  test("a repeat makes one key, and does not print its secret again", async () => {
    const made = [1, 2].map(() => client.createKey({ name: "once", permissions: [] }, { idempotencyKey: "the-same" }));
    const [first, second] = await Promise.all(made);
    deepStrictEqual(
      [first?.key.id, 1],
      [second?.key.id, [first?.secret, second?.secret].filter((one) => one === null).length],
    );
  });

  test("a list is gone through over its pages, and no further than it is read", async () => {
    for (let one = 0; one < 5; one += 1) await client.createKey({ name: `page ${one}`, permissions: [] });
    const paged = client.listKeys({ text: "page", limit: 2 });
    deepStrictEqual(
      ["page 0", "page 1", "page 2", "page 3", "page 4"],
      (await paged.all()).map((key) => key.name),
    );
    const sizes = [];
    for await (const page of paged.pages()) sizes.push(page.items.length);
    deepStrictEqual([2, 2, 1], sizes);
    const first = await paged.page();
    strictEqual("page 2", (await paged.page(first.next ?? "")).items[0]?.name);
  });

  test("what was changed in between is refused, and a wrong field is named", async () => {
    const { key } = await client.createKey({ name: "v", permissions: [] });
    await rejects(client.editKey(key.id, { name: "w" }, { version: 9 }), { code: "version_conflict", status: 412 });
    const refused = await client.createKey({ name: "", permissions: [] }).catch((error: unknown) => error);
    ok(refused instanceof RequestRefusedError);
    deepStrictEqual(["invalid_request", "name"], [refused.code, refused.field]);
    await rejects(client.createKey({ name: "a", permissions: ["datasets:raed"] }), /Did you mean datasets:read\?/);
    for (const id of ["../organizations", "a/b", "?x=1"]) {
      await rejects(client.showKey(id), (error) =>
        /^(not_found|unreadable_target)$/.test((error as { code: string }).code),
      );
    }
    for (const id of ["", ".", ".."]) await rejects(client.showKey(id), ConfigurationError);
  });

  test("tenants, the catalog, questions about keys", async () => {
    const made = await client.createOrganization({
      name: "Acme",
      policy: { max_key_age: "30d", never_expires: false },
    });
    strictEqual("Acme", (await client.showOrganization(made.id)).name);
    strictEqual("Other", (await client.editOrganization(made.id, { name: "Other" })).name);
    ok((await client.listOrganizations({ limit: 1 }).all()).some((one) => one.id === made.id));
    ok((await client.listPermissions()).resources.some((one) => one.name === "datasets"));
    deepStrictEqual([], (await client.listPresets()).items);
    const { secret } = await client.createKey({ name: "asked about", permissions: ["jobs:read"] });
    const said = await client.verify({ key: secret ?? "", permissions: ["jobs:read", "jobs:write"] });
    deepStrictEqual([false, "missing_permission", ["jobs:write"]], [said.allowed, said.code, said.missing]);
  });

  test("the log is searched, proved and fetched", async () => {
    const found = await client.searchLog({ kind: "change", limit: 1, order: "oldest" }).page();
    const index = found.items[0]?.index ?? -1;
    strictEqual(index, (await client.showEntry(index)).index);
    match(await client.showCheckpoint(), /^scopekey-log\/.+\n\d+\n/);
    match(await client.showPublicKey(), /^scopekey-log\/.+\+[0-9a-f]{8}\+/);
    const size = Number((await client.showCheckpoint()).split("\n")[1]);
    strictEqual(
      32 * Math.min(size, 256),
      (await client.showTile(size < 256 ? `tile/0/000.p/${size}` : "tile/0/000")).length,
    );
    let text = "";
    for await (const part of await client.exportLog({ kind: "change" })) text += Buffer.from(part).toString();
    ok(
      text
        .split("\n")
        .filter(Boolean)
        .every((line) => typeof JSON.parse(line) === "object"),
    );
    ok(text.length > 0);
    await rejects(client.showTile("../keys"), ConfigurationError);
  });

  test("the key is switched while the client is used", async () => {
    const { secret } = await client.createKey({ name: "next", permissions: [] });
    const own = new ScopekeyClient({
      apiKey: server.operator,
      environment: server.url,
      onKeyExpiring: () => undefined,
    });
    own.setApiKey(secret ?? "");
    strictEqual("next", (await own.whoami()).key.name);
  });

  test("Scopekey's own API may be elsewhere than the platform", async () => {
    const elsewhere = `http://127.0.0.1:${await freePort()}`;
    const own = new ScopekeyClient({
      apiKey: server.operator,
      environment: elsewhere,
      scopekeyUrl: server.url,
      retries: 0,
    });
    strictEqual("First key", (await own.whoami()).key.name);
    await rejects(
      own.request("GET", "/"),
      (error) => error instanceof UnreachableError && /ECONNREFUSED/.test(error.message),
    );
  });
});

const GOOD = { apiKey: KEY, environment: "https://api.example.com" };

describe("what a client is made with", () => {
  for (const [why, options, code] of [
    ["plain http to another machine", { environment: "http://api.example.com" }, "insecure_url"],
    ["a name that looks like this machine", { environment: "http://127.0.0.1.example.com" }, "insecure_url"],
    ["user information", { environment: "https://me:secret@api.example.com" }, "no_address"],
    ["no address", { environment: "api.example.com" }, "no_address"],
    ["a name without an address", { environment: "live" }, "no_address"],
    [
      "a key of another environment",
      { environment: "test", urls: { test: "https://api.example.com" } },
      "wrong_environment",
    ],
    ["an empty key", { apiKey: "" }, "bad_api_key"],
    ["a key with a line end", { apiKey: `${KEY}\n` }, "bad_api_key"],
    ["Scopekey over plain http", { scopekeyUrl: "http://10.0.0.1" }, "insecure_url"],
  ] as const) {
    test(`${why} is refused at once, and nothing of it is repeated`, () => {
      throws(
        () => new ScopekeyClient({ ...GOOD, ...options }),
        (error) =>
          error instanceof ConfigurationError &&
          error.code === code &&
          !/secret/i.test(error.message.replace("SCOPEKEY", "")),
      );
    });
  }

  test("a key of the named environment, of any platform's prefix, and of a form of its own is taken", () => {
    const urls = { live: "https://api.example.com", test: new URL("https://test.example.com") };
    new ScopekeyClient({ apiKey: KEY, environment: "live", urls });
    new ScopekeyClient({ apiKey: KEY.replace("live", "test"), environment: "test", urls });
    strictEqual("…", new ScopekeyClient({ apiKey: "of-its-own-form", environment: "live", urls }).getApiKey());
  });

  for (const path of [
    "//evil.example",
    "/\\evil.example",
    "https://evil.example/",
    "http://api.example.com/",
    "datasets",
    "",
  ]) {
    test(`a call does not leave its origin by ${JSON.stringify(path)}`, async () => {
      const client = new ScopekeyClient({ apiKey: KEY, environment: "https://api.example.com/v2/" });
      await rejects(client.request("GET", path), { code: "bad_request" });
    });
  }

  test("the environment says everything, and what is given wins", () => {
    const before = { ...process.env };
    try {
      for (const name of Object.keys(process.env)) if (name.startsWith("SCOPEKEY_")) delete process.env[name];
      throws(() => ScopekeyClient.fromEnvironment(), { code: "no_api_key" });
      process.env.SCOPEKEY_API_KEY = KEY;
      throws(() => ScopekeyClient.fromEnvironment(), { code: "no_address" });
      process.env.SCOPEKEY_URL = "https://keys.example.com";
      match(String(ScopekeyClient.fromEnvironment()), /https:\/\/keys\.example\.com/);
      process.env.SCOPEKEY_ENVIRONMENT = "live";
      throws(() => ScopekeyClient.fromEnvironment(), /SCOPEKEY_LIVE_URL/);
      process.env.SCOPEKEY_LIVE_URL = "https://live.example.com";
      match(String(ScopekeyClient.fromEnvironment()), /https:\/\/live\.example\.com/);
      match(
        String(ScopekeyClient.fromEnvironment({ environment: "https://given.example.com" })),
        /given\.example\.com/,
      );
    } finally {
      process.env = before;
    }
  });
});
