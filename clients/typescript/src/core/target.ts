// A raw request target, read in the one way everybody reads it, or refused (spec/targets.md).
//
// The server behind may decode, merge or resolve a path in its own way. A target that two servers could read
// differently is therefore no question about a permission at all: it is refused (RFC 3986 section 6.2.2 says which
// spellings are one; the rest is refused).

/** The longest path that is read, in bytes. */
export const MAX_PATH_LENGTH = 8192;

/** What can be wrong with a target, by its code. */
export const TARGET_REFUSALS = {
  too_long: `the path is longer than ${MAX_PATH_LENGTH} bytes`,
  no_target: "no target was told that is known to be the one that will be served",
  no_slash: "the path does not begin with a slash",
  bad_escape: "a percent sign is not followed by two hexadecimal digits",
  backslash: "the path holds a backslash, which some servers read as a slash",
  semicolon: "the path holds a semicolon, whose parameters some servers strip",
  unencoded: "the path holds a character that must be percent-encoded",
  not_utf8: "an escape does not decode to UTF-8",
  empty_segment: "the path holds an empty segment, which some servers merge away",
  dot_segment: "the path holds a dot segment",
  encoded_slash: "the path holds an encoded slash or backslash",
  encoded_semicolon: "the path holds an encoded semicolon, whose parameters some servers strip",
  encoded_control: "the path holds an encoded control character",
  encoded_twice: "the path is percent-encoded twice",
  needless_escape: "the path escapes a letter, a digit, `-`, `.` or `_`, which some servers do not undo",
} as const;

/** A code of `TARGET_REFUSALS`. */
export type TargetRefusal = keyof typeof TARGET_REFUSALS;

/** A path as its decoded segments; a trailing slash is an empty last segment. The query is left out. */
export interface Target {
  readonly readable: true;
  readonly segments: readonly string[];
}

/** The target has no reading or two; `why` says what is wrong with it, without repeating it. */
export interface UnreadableTarget {
  readonly readable: false;
  readonly refusal: TargetRefusal;
  readonly why: string;
}

// Most targets are plain: unreserved and harmless characters, no empty inner segment, none that begins with a dot.
const PLAIN = /^(?:\/(?!\.)[A-Za-z0-9_~.@:+=$,!*'()&-]+)+\/?$|^\/$/;
// pchar of RFC 3986 section 3.3 without `;`, whose parameters some servers strip.
const ALLOWED = /^(?:[A-Za-z0-9_~.@:+=$,!*'()&/-]|%[0-9A-Fa-f]{2})*$/;
// Nobody need escape these (RFC 3986 section 2.3); `~` is left out, which older encoders do escape.
const NEEDLESS_ESCAPE = /%(?:3[0-9]|[46][1-9A-Fa-f]|[57][0-9Aa]|2[DdEe]|5[Ff])/;

/**
 * Reads the path of a raw origin-form request target (RFC 9112 section 3.2.1). The query is not looked at.
 *
 * The bytes are those of the request line, before any decoding; a string has one of them in each character (latin-1),
 * as `request.url` of Node's servers has. The URL of a `Request` is none: it was rewritten.
 */
export function readTarget(raw: Uint8Array | string): Target | UnreadableTarget {
  const text = typeof raw === "string" ? raw : latin1(raw);
  const query = text.indexOf("?");
  const path = query < 0 ? text : text.slice(0, query);
  if (path.length <= MAX_PATH_LENGTH && PLAIN.test(path)) return read(path.slice(1).split("/"));
  return readUnusual(text, path);
}

/** The canonical spelling of a target's path: what needs no escape has none, the others are in upper case. */
export function canonicalPath(target: Target): string {
  return `/${target.segments.map(escaped).join("/")}`;
}

/** Says what makes one decoded segment ambiguous; undefined where nothing does. Only the last one may be empty. */
export function faultOf(segment: string, isLast: boolean): TargetRefusal | undefined {
  if (segment === "") return isLast ? undefined : "empty_segment";
  if (segment === "." || segment === "..") return "dot_segment";
  if (/[/\\]/.test(segment)) return "encoded_slash";
  if (segment.includes(";")) return "encoded_semicolon";
  if (/\p{Cc}/u.test(segment)) return "encoded_control";
  return /%[0-9A-Fa-f]{2}/.test(segment) ? "encoded_twice" : undefined;
}

function readUnusual(raw: string, path: string): Target | UnreadableTarget {
  if (path.length > MAX_PATH_LENGTH) return refused("too_long");
  if (raw === "") return refused("no_target");
  if (!path.startsWith("/")) return refused("no_slash");
  if (!ALLOWED.test(path)) return refused(strayIn(path));
  const segments = decoded(path.slice(1).split("/"));
  if (segments === undefined) return refused("not_utf8");
  for (const [at, segment] of segments.entries()) {
    const fault = faultOf(segment, at === segments.length - 1);
    if (fault !== undefined) return refused(fault);
  }
  return NEEDLESS_ESCAPE.test(path) ? refused("needless_escape") : read(segments);
}

function read(segments: readonly string[]): Target {
  return { readable: true, segments };
}

function refused(refusal: TargetRefusal): UnreadableTarget {
  return { readable: false, refusal, why: TARGET_REFUSALS[refusal] };
}

function latin1(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}

function decoded(segments: readonly string[]): readonly string[] | undefined {
  try {
    // Refuses overlong forms and surrogates, and keeps a byte order mark, which a TextDecoder would drop.
    return segments.map(decodeURIComponent);
  } catch {
    return undefined;
  }
}

function strayIn(path: string): TargetRefusal {
  if (path.replace(/%[0-9A-Fa-f]{2}/g, "").includes("%")) return "bad_escape";
  if (path.includes("\\")) return "backslash";
  return path.includes(";") ? "semicolon" : "unencoded";
}

function escaped(segment: string): string {
  // What encodeURIComponent escapes beyond need.
  return encodeURIComponent(segment).replace(/%(?:40|3A|2B|3D|24|2C|26)/g, decodeURIComponent);
}
