// The credential of a request: exactly one, in exactly one header field, or none.

/** All field lines of a name, in lower case, as they were sent. */
export type FieldLines = (name: string) => readonly string[];

/** Why a request has no key that could be asked about; each is the code of a problem. */
export type Absent = "no_credential" | "ambiguous_credential" | "malformed_key";
/** The key that was sent, or why there is none. */
export type Credential = { readonly key: string } | { readonly absent: Absent };

const NONE: Credential = { absent: "no_credential" };
const AMBIGUOUS: Credential = { absent: "ambiguous_credential" };
// A gateway is not asked about a longer one: no key is.
const LONGEST = 500;

/**
 * Find the key in `Authorization: Bearer` (RFC 6750 section 2.1; the scheme in any case) or in `X-API-Key`.
 * Two are two answers to the question who is asking, so they are refused rather than ranked.
 */
export function readCredential(lines: FieldLines): Credential {
  const authorization = lines("authorization");
  const own = lines("x-api-key");
  if (authorization.length > 1 || own.length > 1) return AMBIGUOUS;
  const bearer = authorization[0] === undefined ? undefined : bearerOf(authorization[0]);
  if (bearer === null || (bearer !== undefined && own.length > 0)) return AMBIGUOUS;
  const found = own[0] === undefined ? bearer : strip(own[0]);
  if (!found) return NONE;
  // A comma joins two lines of one name; no key has one.
  if (found.includes(",")) return AMBIGUOUS;
  return found.length > LONGEST ? { absent: "malformed_key" } : { key: found };
}

/** The token of a bearer scheme; undefined for another scheme, null where a bearer was joined to one. */
function bearerOf(value: string): string | undefined | null {
  const text = strip(value);
  const end = text.indexOf(" ");
  const scheme = end < 0 ? text : text.slice(0, end);
  const rest = end < 0 ? "" : text.slice(end + 1);
  if (scheme.toLowerCase() === "bearer") return strip(rest);
  return rest.includes(",") && /bearer/i.test(rest) ? null : undefined;
}

// Not `trim`: a no-break space is no white space of HTTP, and a key with one is not that key.
function strip(value: string): string {
  let [from, to] = [0, value.length];
  while (from < to && isSpace(value.charCodeAt(from))) from += 1;
  while (to > from && isSpace(value.charCodeAt(to - 1))) to -= 1;
  return value.slice(from, to);
}

function isSpace(code: number): boolean {
  return code === 0x20 || (code >= 0x09 && code <= 0x0d);
}
