// Scopekey's own API, call by call. How a call is made is the client's matter.

import { ConfigurationError } from "./errors.js";
import { type Page, Paged } from "./paging.js";
import type * as api from "./resources.js";

/** What a call may be given beside its own words. */
export interface CallOptions {
  /** Ends the call, its waiting between tries too. */
  signal?: AbortSignal | undefined;
  /** How long one try may take, in milliseconds. */
  timeoutMs?: number | undefined;
}

/** A change of something that has a version: refused with `version_conflict` where it was changed in between. */
export interface ChangeOptions extends CallOptions {
  version?: number | undefined;
}

/** A call that makes something: two with the same key make it once. */
export interface OnceOptions extends CallOptions {
  idempotencyKey?: string | undefined;
}

type Words = Readonly<Record<string, string | number | boolean | readonly string[] | null | undefined>>;

/** A call of the management API before it is sent. */
export interface Asked extends CallOptions {
  method: string;
  path: string;
  query?: Words | undefined;
  json?: unknown;
  headers?: Readonly<Record<string, string>> | undefined;
}

/** The calls of the management API; `ask` makes one and reads JSON, `fetch` reads it as it is told. */
export abstract class Management {
  protected abstract ask<Answer>(asked: Asked): Promise<Answer>;
  protected abstract fetch<Answer>(asked: Asked, read: (response: Response) => Promise<Answer>): Promise<Answer>;
  protected abstract fresh(): string;

  /** What the calling key is, holds and can reach, and when it ends. Any live key may ask. */
  whoami(options?: CallOptions): Promise<api.Whoami> {
    return this.ask({ method: "GET", path: "/v1/whoami", ...options });
  }

  /** The permissions there are, by resource and group. */
  listPermissions(options?: CallOptions): Promise<api.Permissions> {
    return this.ask({ method: "GET", path: "/v1/permissions", ...options });
  }

  /** The presets: sets of permissions for a purpose. */
  listPresets(options?: CallOptions): Promise<api.Presets> {
    return this.ask({ method: "GET", path: "/v1/presets", ...options });
  }

  /** Issue a key. Its secret is in this answer and nowhere else. */
  createKey(body: api.CreateKey, options?: OnceOptions): Promise<api.IssuedKey> {
    return this.#once("/v1/keys", body, options);
  }

  /** List keys, oldest first. */
  listKeys(query?: api.KeyQuery, options?: CallOptions): Paged<api.Key> {
    return this.#list("/v1/keys", query, options);
  }

  /** Show a key. */
  async showKey(id: string, options?: CallOptions): Promise<api.Key> {
    return this.ask({ method: "GET", path: `/v1/keys/${part(id)}`, ...options });
  }

  /** Change a key in place; its secret stays. */
  async editKey(id: string, body: api.EditKey, options?: ChangeOptions): Promise<api.Key> {
    return this.#change(`/v1/keys/${part(id)}`, body, options);
  }

  /** Give a key a new secret; the old one goes on until the overlap ends. */
  async rotateKey(id: string, body: api.RotateKey = {}, options?: OnceOptions & ChangeOptions): Promise<api.IssuedKey> {
    return this.#once(`/v1/keys/${part(id)}/rotate`, body, options, match(options?.version));
  }

  /** End a key, for good. */
  async revokeKey(id: string, body: api.RevokeKey, options?: CallOptions): Promise<api.Key> {
    return this.ask({ method: "POST", path: `/v1/keys/${part(id)}/revoke`, json: body, ...options });
  }

  /** End the calling key. A key may always do that. */
  revokeSelf(body: api.RevokeKey, options?: CallOptions): Promise<api.Key> {
    return this.ask({ method: "POST", path: "/v1/keys/self/revoke", json: body, ...options });
  }

  /** The operations that a key can call; `with` and `without` ask what would be if. */
  async reachKey(
    id: string,
    what: { with?: readonly string[]; without?: readonly string[] } = {},
    options?: CallOptions,
  ): Promise<api.Reach> {
    return this.ask({ method: "GET", path: `/v1/keys/${part(id)}/reach`, query: { ...what }, ...options });
  }

  /** What a key was used for: each permission and each secret, by day. */
  async keyUsage(id: string, query: { days?: number } = {}, options?: CallOptions): Promise<api.Usage> {
    return this.ask({ method: "GET", path: `/v1/keys/${part(id)}/usage`, query: { ...query }, ...options });
  }

  /** Whether another key may do something. */
  verify(body: api.Verify, options?: CallOptions): Promise<api.Verification> {
    return this.ask({ method: "POST", path: "/v1/verify", json: body, ...options });
  }

  /** Make a tenant. */
  createOrganization(body: api.CreateOrganization, options?: CallOptions): Promise<api.Organization> {
    return this.ask({ method: "POST", path: "/v1/organizations", json: body, ...options });
  }

  /** List tenants, oldest first. */
  listOrganizations(query?: api.OrganizationQuery, options?: CallOptions): Paged<api.Organization> {
    return this.#list("/v1/organizations", query, options);
  }

  /** Show a tenant. */
  async showOrganization(id: string, options?: CallOptions): Promise<api.Organization> {
    return this.ask({ method: "GET", path: `/v1/organizations/${part(id)}`, ...options });
  }

  /** Change a tenant. */
  async editOrganization(id: string, body: api.EditOrganization, options?: ChangeOptions): Promise<api.Organization> {
    return this.#change(`/v1/organizations/${part(id)}`, body, options);
  }

  /** Find entries of the audit log. A page may be empty and not the last. */
  searchLog(query?: api.EntryQuery, options?: CallOptions): Paged<api.LoggedEntry> {
    return this.#list("/v1/audit/entries", query, options);
  }

  /** An entry, with the proof that it is in the log. */
  showEntry(index: number, options?: CallOptions): Promise<api.ProvenEntry> {
    return this.ask({ method: "GET", path: `/v1/audit/entries/${index}`, ...options });
  }

  /** The newest checkpoint: a signed note (C2SP tlog-checkpoint). */
  showCheckpoint(options?: CallOptions): Promise<string> {
    return this.fetch({ method: "GET", path: "/v1/audit/checkpoint", ...options }, (answer) => answer.text());
  }

  /** What checkpoints are verified with (C2SP signed-note). Compare it with one that came another way. */
  async showPublicKey(options?: CallOptions): Promise<string> {
    const asked = { method: "GET", path: "/v1/audit/key", ...options };
    return (await this.fetch(asked, (answer) => answer.text())).trim();
  }

  /** A hash tile or a bundle of entries by its path: `tile/0/x001/234`. */
  async showTile(path: string, options?: CallOptions): Promise<Uint8Array> {
    if (!/^tile\/[a-z0-9./]+$/.test(path) || path.includes("..")) {
      throw new ConfigurationError("bad_request", "The path of a tile is as in `tile/0/x001/234`.");
    }
    const asked = { method: "GET", path: `/v1/audit/${path}`, ...options };
    return new Uint8Array(await this.fetch(asked, (answer) => answer.arrayBuffer()));
  }

  /** All entries that are looked for, the oldest first, as a stream of JSON lines or CSV. */
  exportLog(query: api.ExportQuery = {}, options?: CallOptions): Promise<ReadableStream<Uint8Array>> {
    const asked = { method: "GET", path: "/v1/audit/export", query: { ...query }, ...options };
    return this.fetch(asked, async (answer) => answer.body ?? new Blob([]).stream());
  }

  #list<Item>(path: string, query: object | undefined, options: CallOptions | undefined): Paged<Item> {
    return new Paged((cursor) =>
      this.ask<Page<Item>>({ method: "GET", path, query: { ...query, cursor }, ...options }),
    );
  }

  #once<Answer>(path: string, json: unknown, options?: OnceOptions, headers?: Record<string, string>): Promise<Answer> {
    const { idempotencyKey = this.fresh(), ...rest } = options ?? {};
    return this.ask({
      method: "POST",
      path,
      json,
      headers: { ...headers, "idempotency-key": idempotencyKey },
      ...rest,
    });
  }

  #change<Answer>(path: string, json: unknown, options?: ChangeOptions): Promise<Answer> {
    return this.ask({ method: "PATCH", path, json, headers: match(options?.version), ...options });
  }
}

function match(version: number | undefined): Record<string, string> {
  return version === undefined ? {} : { "if-match": `"${version}"` };
}

/** An id as one segment of a path, whatever stands in it: dots alone would be walked. */
function part(id: string): string {
  if (id === "" || /^\.{1,2}$/.test(id)) throw new ConfigurationError("bad_request", "An id is missing.");
  return encodeURIComponent(id);
}
