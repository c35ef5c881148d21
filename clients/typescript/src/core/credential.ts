// The credential of a request: exactly one, in exactly one header, or none.
//
// Two credentials are two answers to the question who is asking, so they are refused rather than ranked.

/** Where a credential may stand. */
export type CredentialField = "authorization" | "x-api-key";

/**
 * Every line of a header field, each for itself: as a function, or by its lower-case name as in `headersDistinct` of
 * Node's requests. Not `headers` of these: a second `Authorization` is no longer in it.
 */
export type FieldLines =
  | ((name: CredentialField) => readonly string[])
  | { readonly [name in CredentialField]?: readonly string[] | undefined };

/** The printed key of a request, or why there is none. `absent` is `no_credential`, `ambiguous` `ambiguous_credential`. */
export type Credential =
  | { readonly kind: "key"; readonly text: string }
  | { readonly kind: "absent" }
  | { readonly kind: "ambiguous" };

const ABSENT: Credential = { kind: "absent" };
const AMBIGUOUS: Credential = { kind: "ambiguous" };

/**
 * Finds the printed key.
 *
 * `Authorization: Bearer <key>` (RFC 6750 section 2.1; the scheme in any case, RFC 9110 section 11.1) or
 * `X-API-Key: <key>`. Another scheme is no credential of ours. Two keys, two Authorization lines and joined ones make
 * the request ambiguous.
 */
export function readCredential(headers: FieldLines): Credential {
  const authorization = linesOf(headers, "authorization");
  const own = linesOf(headers, "x-api-key");
  if (authorization.length > 1 || own.length > 1) return AMBIGUOUS;
  const bearer = readBearer(authorization[0] ?? "");
  if (bearer === "ambiguous" || (bearer !== undefined && own.length > 0)) return AMBIGUOUS;
  const text = bearer?.key ?? stripped(own[0] ?? "");
  if (text === "") return ABSENT;
  return text.includes(",") ? AMBIGUOUS : { kind: "key", text };
}

function linesOf(headers: FieldLines, name: CredentialField): readonly string[] {
  return (typeof headers === "function" ? headers(name) : headers[name]) ?? [];
}

function readBearer(line: string): { readonly key: string } | "ambiguous" | undefined {
  const value = stripped(line);
  const space = value.indexOf(" ");
  const [scheme, rest] = space < 0 ? [value, ""] : [value.slice(0, space), value.slice(space + 1)];
  if (scheme.toLowerCase() === "bearer") return { key: stripped(rest) };
  return rest.includes(",") && rest.toLowerCase().includes("bearer") ? "ambiguous" : undefined;
}

/** Without the blanks of HTTP around it; `trim` would take others too, and a key with one of those is no key. */
function stripped(text: string): string {
  let [begin, end] = [0, text.length];
  while (begin < end && isBlank(text.charCodeAt(begin))) begin += 1;
  while (begin < end && isBlank(text.charCodeAt(end - 1))) end -= 1;
  return text.slice(begin, end);
}

function isBlank(unit: number): boolean {
  return unit === 0x20 || (0x09 <= unit && unit <= 0x0d);
}
