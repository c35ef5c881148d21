// Keys of a test's server, and what its log says: by its own API, for a command of the command line takes a second.

import type { Server } from "../support/server.js";

/** Issue a key, and give its printed form. */
export async function issue(server: Server, permissions: readonly string[], more: object = {}): Promise<string> {
  const body = { name: permissions.join(" "), permissions, ...more };
  return ((await call(server, "POST", "/v1/keys", body)) as { secret: string }).secret;
}

/** The id of a printed key. */
export function idOf(key: string): string {
  return `key_${key.slice(9, 21)}`;
}

/** End a key. */
export async function revoke(server: Server, key: string): Promise<void> {
  await call(server, "POST", `/v1/keys/${idOf(key)}/revoke`, { reason: "other" });
}

/** The decisions about one key in the log, as request ids; what is not written yet is waited for, a second longer. */
export async function decisionsOf(server: Server, key: string, expected: number): Promise<string[]> {
  let found: string[] = [];
  for (let tries = 0; found.length < expected && tries < 100; tries += 1) {
    await new Promise((wake) => setTimeout(wake, 100));
    found = await read(server, key);
  }
  await new Promise((wake) => setTimeout(wake, 1_000));
  return read(server, key);
}

async function read(server: Server, key: string): Promise<string[]> {
  const page = await call(server, "GET", `/v1/audit/entries?kind=decision&key=${idOf(key)}`);
  return (page as { items: { entry: { request_id: string } }[] }).items.map(({ entry }) => entry.request_id).sort();
}

async function call(server: Server, method: string, path: string, body?: object): Promise<unknown> {
  const response = await fetch(server.url + path, {
    method,
    headers: { authorization: `Bearer ${server.operator}`, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const answer: unknown = await response.json();
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${JSON.stringify(answer)}`);
  return answer;
}
