import { deepStrictEqual } from "node:assert/strict";
import { test } from "node:test";
import { getConnInfo } from "@hono/node-server/conninfo";
import express from "express";
import fastify, { type FastifyRequest } from "fastify";
import { type Context, Hono } from "hono";
import { guard as guardExpress } from "../../src/guard/express.js";
import { guard as guardFastify } from "../../src/guard/fastify.js";
import { guard as guardHono, type ScopekeyEnv } from "../../src/guard/hono.js";
import { onFetch, onNode } from "./apps.js";
import { answering, type Listening, YES } from "./gateways.js";

// The framework's own request is what an application's function of the address is given, typed as such.

const BEHIND_A_PROXY = { "x-api-key": "abc", "x-forwarded-for": "192.0.2.7" };

function addresses(gateway: Listening): unknown[] {
  return gateway.heard.map((body) => (JSON.parse(body) as { address?: string }).address);
}

test("Express: behind a proxy that it trusts, the address is the one that the proxy tells", async () => {
  const gateway = await answering((response) => response.end(JSON.stringify(YES)));
  const requires = guardExpress({
    gateway: gateway.url,
    apiKey: "guard",
    address: (request: express.Request) => request.ip,
  });
  const app = express().set("trust proxy", "loopback");
  app.get("/", requires("datasets:read"), (_, response) => void response.end());
  const running = await onNode(app.listen(0, "127.0.0.1"), () => 0);
  await fetch(running.url, { headers: BEHIND_A_PROXY });
  await running.stop();
  gateway.stop();
  deepStrictEqual(["192.0.2.7"], addresses(gateway));
});

test("Fastify: behind a proxy that it trusts, the address is the one that the proxy tells", async () => {
  const gateway = await answering((response) => response.end(JSON.stringify(YES)));
  const requires = guardFastify({
    gateway: gateway.url,
    apiKey: "guard",
    address: (request: FastifyRequest) => request.ip,
  });
  const app = fastify({ trustProxy: "loopback" });
  app.get("/", { onRequest: requires("datasets:read") }, () => "");
  await fetch(await app.listen({ port: 0, host: "127.0.0.1" }), { headers: BEHIND_A_PROXY });
  await app.close();
  gateway.stop();
  deepStrictEqual(["192.0.2.7"], addresses(gateway));
});

test("Hono: on a server that knows it, the address is the connection's", async () => {
  const gateway = await answering((response) => response.end(JSON.stringify(YES)));
  const requires = guardHono({
    gateway: gateway.url,
    apiKey: "guard",
    address: (c: Context<ScopekeyEnv>) => getConnInfo(c).remote.address,
  });
  const app = new Hono<ScopekeyEnv>();
  app.get("/", requires("datasets:read"), (c) => c.text(c.get("scopekey")?.keyId ?? ""));
  const running = await onFetch(app.fetch, () => 0);
  await fetch(running.url, { headers: BEHIND_A_PROXY });
  await running.stop();
  gateway.stop();
  deepStrictEqual(["127.0.0.1"], addresses(gateway));
});
