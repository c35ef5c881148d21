// The credential of a request: exactly one, in exactly one header field, or none.

/** All field lines of a name, in lower case, as they were sent. */
export type FieldLines = (name: string) => readonly string[];

/** The key that was sent, or why there is none. */
export type Credential = { readonly kind: "key"; readonly key: string } | { readonly kind: "absent" | "ambiguous" };

const ABSENT: Credential = { kind: "absent" };
const AMBIGUOUS: Credential = { kind: "ambiguous" };

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
  const found = own[0]?.trim() ?? bearer;
  if (!found) return ABSENT;
  // A comma joins two lines of one name; no key has one.
  return found.includes(",") ? AMBIGUOUS : { kind: "key", key: found };
}

/** The token of a bearer scheme; undefined for another scheme, null where a bearer was joined to one. */
function bearerOf(value: string): string | undefined | null {
  const text = value.trim();
  const end = text.indexOf(" ");
  const scheme = end < 0 ? text : text.slice(0, end);
  const rest = end < 0 ? "" : text.slice(end + 1);
  if (scheme.toLowerCase() === "bearer") return rest.trim();
  return rest.includes(",") && /bearer/i.test(rest) ? null : undefined;
}
