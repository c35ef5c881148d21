// The same small API in each framework, guarded, on a real port. Handlers count how often they ran, and say who called.

import type { Server as HttpServer } from "node:http";
import type { AddressInfo } from "node:net";
import { serve } from "@hono/node-server";
import express from "express";
import fastify from "fastify";
import { Hono } from "hono";
import { guard as guardExpress } from "../../src/guard/express.js";
import { guard as guardFastify } from "../../src/guard/fastify.js";
import { guard as guardFetch } from "../../src/guard/fetch.js";
import { guard as guardHono, type ScopekeyEnv } from "../../src/guard/hono.js";

/** What all guards of a test are made with. */
export interface Settings {
  gateway: string;
  apiKey: string;
  timeoutMs?: number;
  missingPermissionStatus?: 401 | 403;
  onFault?: (error: Error) => unknown;
  address?: () => string | undefined;
}

/** A running application. */
export interface App {
  url: string;
  ran: () => number;
  stop: () => Promise<void>;
}

/** Those whose request has the socket: it tells the caller's address. */
export const ON_NODE: ReadonlySet<string> = new Set(["express", "fastify"]);

/** Every framework by its name: GET /datasets needs datasets:read, DELETE datasets:write, /listed/… what the rules say. */
export const FRAMEWORKS: Record<string, (settings: Settings) => Promise<App>> = {
  express: async (settings) => {
    const requires = guardExpress(settings);
    let ran = 0;
    const app = express();
    const handler: express.RequestHandler = (request, response) => {
      ran += 1;
      response.json({ caller: (request as { scopekey?: unknown }).scopekey });
    };
    app.get("/datasets", requires("datasets:read"), handler);
    app.delete("/datasets", requires("datasets:read", "datasets:write"), handler);
    app.use("/listed", requires.listed(), handler);
    return onNode(app.listen(0, "127.0.0.1"), () => ran);
  },
  fastify: async (settings) => {
    const requires = guardFastify(settings);
    let ran = 0;
    const app = fastify();
    const handler = async (request: unknown): Promise<object> => {
      ran += 1;
      return { caller: (request as { scopekey?: unknown }).scopekey };
    };
    app.get("/datasets", { onRequest: requires("datasets:read") }, handler);
    app.delete("/datasets", { onRequest: requires("datasets:read", "datasets:write") }, handler);
    app.get("/listed/*", { onRequest: requires.listed() }, handler);
    const url = await app.listen({ port: 0, host: "127.0.0.1" });
    return { url, ran: () => ran, stop: () => app.close() };
  },
  hono: async (settings) => {
    const requires = guardHono(settings);
    let ran = 0;
    const app = new Hono<ScopekeyEnv>();
    // A Response of its own, which knows nothing of what was said in the context before.
    app.get("/datasets", requires("datasets:read"), (c) => Response.json({ caller: c.get("scopekey"), ran: ++ran }));
    app.delete("/datasets", requires("datasets:read", "datasets:write"), (c) => c.json({ ran: ++ran }));
    app.get("/listed/*", requires.listed(), (c) => c.json({ caller: c.get("scopekey"), ran: ++ran }));
    return onFetch(app.fetch, () => ran);
  },
  fetch: async (settings) => {
    const requires = guardFetch(settings);
    let ran = 0;
    const read = requires("datasets:read", (_, caller) => Response.json({ caller, ran: ++ran }));
    const write = requires("datasets:read", "datasets:write", () => Response.json({ ran: ++ran }));
    const listed = requires.listed((_, caller) => Response.json({ caller, ran: ++ran }));
    return onFetch(
      (request) => {
        if (new URL(request.url).pathname.startsWith("/listed/")) return listed(request);
        return request.method === "DELETE" ? write(request) : read(request);
      },
      () => ran,
    );
  },
};

/** What answers on a Node.js server. */
export async function onNode(server: HttpServer, ran: () => number): Promise<App> {
  if (!server.listening) await new Promise((up) => server.once("listening", up));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    ran,
    stop: () => {
      server.closeAllConnections();
      return new Promise((done) => server.close(() => done()));
    },
  };
}

/** What answers a `Request`, on a server. */
export function onFetch(handler: (request: Request) => Response | Promise<Response>, ran: () => number): Promise<App> {
  const server = serve({ fetch: handler, port: 0, hostname: "127.0.0.1" });
  return onNode(server as HttpServer, ran);
}
