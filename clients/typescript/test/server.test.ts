import { strictEqual } from "node:assert/strict";
import { after, before, test } from "node:test";
import { Server } from "./support/server.js";

let server: Server;
before(async () => {
  server = await Server.start();
});
after(() => server.stop());

test("a key that the command line issued is known to the server", async () => {
  const key = await server.key("reader", "--permission", "datasets:read");
  const answer = await fetch(`${server.url}/v1/whoami`, { headers: { authorization: `Bearer ${key}` } });
  strictEqual(200, answer.status);
});
