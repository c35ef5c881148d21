// What a key is sent with and where to, for the client and the guard alike; and what may be told where that failed.

const SENDABLE = /^[\x21-\x7e]+$/;
const LOOPBACK = /^(localhost|\[::1\]|127\.\d{1,3}\.\d{1,3}\.\d{1,3})$/;

/** Whether a header field can carry a text as a key. */
export function isSendable(key: unknown): key is string {
  return typeof key === "string" && SENDABLE.test(key);
}

/** Whether an address is of this machine itself, by its host as `URL` writes it. */
export function isLoopback(url: URL): boolean {
  return LOOPBACK.test(url.hostname);
}

/** An address as a URL; undefined for what is none of http or https, or carries user information. */
export function readUrl(text: string | URL): URL | undefined {
  const url = URL.canParse(String(text)) ? new URL(String(text)) : undefined;
  return url !== undefined && /^https?:$/.test(url.protocol) && url.username === "" && url.password === ""
    ? url
    : undefined;
}

/** What kind of error it is. Never its words: they could repeat what was sent, and a key with it. */
export function kindOf(error: unknown): string {
  if (!(error instanceof Error)) return "unknown";
  const { code } = (error.cause ?? error) as { code?: unknown };
  return typeof code === "string" && /^[A-Z0-9_]{1,40}$/.test(code) ? code : error.name;
}
