// A path template, `/datasets/{dataset_id}/sample`, as segments that can be compared (spec/rules.md).
//
// `{name}` is one segment or a part of one (`subscription_id={id}`, `${id}`, `{a}.{b}`); `{name*}` spans one or more
// segments. Case matters, and so does a trailing slash.

import { faultOf, TARGET_REFUSALS } from "./target.js";
import { quoted } from "./text.js";

/** A segment that is exactly this text. */
export interface Literal {
  readonly kind: "literal";
  readonly text: string;
}

/** A segment of literal parts with parameters of one or more characters between them. */
export interface Mixed {
  readonly kind: "mixed";
  readonly literals: readonly string[];
  readonly names: readonly string[];
}

/** A whole segment, whatever it is, but not empty. */
export interface Parameter {
  readonly kind: "parameter";
  readonly name: string;
}

/** One or more segments; the last one may be empty where it ends the path. */
export interface Span {
  readonly kind: "span";
  readonly name: string;
}

/** What matches exactly one segment of a path. */
export type Plain = Literal | Mixed | Parameter;
export type Segment = Plain | Span;

/** A path template; `text` is how it was written. */
export interface Template {
  readonly text: string;
  readonly segments: readonly Segment[];
}

/** The text is not a path template; says where and why. */
export class InvalidTemplateError extends Error {
  override readonly name = "InvalidTemplateError";
}

const NAME = "[A-Za-z_][A-Za-z0-9_.-]*";
const PARAMETER = new RegExp(`\\{(${NAME})(\\*?)\\}`);
const WHOLE = new RegExp(`^\\{(${NAME})(\\*?)\\}$`);
// Stands for a parameter's value where the rest of a segment is looked at; no hexadecimal digit.
const ORDINARY = "x";

/** Reads a template. Throws InvalidTemplateError. */
export function parseTemplate(text: string): Template {
  const path = `the path ${quoted(text)}`;
  if (!text.startsWith("/")) {
    throw new InvalidTemplateError(`${path} must begin with a slash; write it without scheme and host`);
  }
  if (/[?#]/.test(text)) {
    throw new InvalidTemplateError(
      `${path} holds a query or a fragment; leave it out, for rules decide on the path alone`,
    );
  }
  // A byte order mark is no space, though JavaScript says so.
  if (/(?!\uFEFF)\s$/.test(text)) {
    throw new InvalidTemplateError(`${path} ends with a space; remove it, or write %20 if it is meant`);
  }
  const parts = text.slice(1).split("/");
  const segments = parts.map((part, at) => segmentOf(part, at === parts.length - 1, path));
  if (segments.filter((segment) => segment.kind === "span").length > 1) {
    throw new InvalidTemplateError(`${path} has two parameters that span segments; keep one of them`);
  }
  return { text, segments };
}

/** The parameters' names, in order. */
export function parameterNames({ segments }: Template): readonly string[] {
  return segments.flatMap((segment) => {
    if (segment.kind === "literal") return [];
    return segment.kind === "mixed" ? segment.names : [segment.name];
  });
}

/** What a template is but for the names of its parameters: equal where it matches the same paths. */
export function shapeOf({ segments }: Template): string {
  return JSON.stringify(
    segments.map((segment) => {
      if (segment.kind === "literal") return [segment.kind, segment.text];
      return segment.kind === "mixed" ? [segment.kind, ...segment.literals] : [segment.kind];
    }),
  );
}

/** Tells whether a segment of a path is what a segment of a template asks for. */
export function accepts(segment: Plain, text: string): boolean {
  if (segment.kind === "literal") return segment.text === text;
  return segment.kind === "parameter" ? text !== "" : mixedValues(segment, text) !== undefined;
}

/**
 * The parameters' values in a segment, each as long as possible from the left; undefined where it does not fit.
 *
 * So do the routers behind, whose expressions are greedy.
 */
export function mixedValues({ literals }: Mixed, text: string): readonly string[] | undefined {
  const [first = "", last = ""] = [literals[0], literals.at(-1)];
  const begin = first.length;
  let end = text.length - last.length;
  if (end <= begin || !text.startsWith(first) || !text.endsWith(last)) return undefined;
  const values: string[] = [];
  for (const literal of literals.slice(1, -1).reverse()) {
    // At least one character stays behind it.
    const at = text.lastIndexOf(literal, end - 1 - literal.length);
    if (at <= begin) return undefined;
    values.unshift(text.slice(at + literal.length, end));
    end = at;
  }
  return [text.slice(begin, end), ...values];
}

function segmentOf(part: string, isLast: boolean, path: string): Segment {
  const [, whole, star] = WHOLE.exec(part) ?? [];
  if (whole !== undefined) return { kind: star === "" ? "parameter" : "span", name: whole };
  const { literals, names, spans } = piecesOf(part);
  refuseStrayBraces(part, literals, path);
  if (spans) {
    const mend = "a parameter that spans segments must be a segment of its own; set slashes around it";
    throw new InvalidTemplateError(`${path}: ${mend}`);
  }
  if (literals.slice(1, -1).includes("")) {
    const mend = "make them one, or say what parts them";
    throw new InvalidTemplateError(`${path} has two parameters with nothing between them; ${mend}`);
  }
  const decoded = literals.map((literal) => unescaped(literal, path));
  const fault = faultOf(decoded.join(ORDINARY), isLast);
  if (fault !== undefined) {
    throw new InvalidTemplateError(`no readable request can match ${path}: ${TARGET_REFUSALS[fault]}; leave that out`);
  }
  return names.length > 0 ? { kind: "mixed", literals: decoded, names } : { kind: "literal", text: decoded.join("") };
}

/** Parts a segment at its parameters: split gives a literal, a name and a star in turn. */
function piecesOf(part: string): { literals: string[]; names: string[]; spans: boolean } {
  const pieces = part.split(PARAMETER);
  return {
    literals: pieces.filter((_, at) => at % 3 === 0),
    names: pieces.filter((_, at) => at % 3 === 1),
    spans: pieces.some((piece, at) => at % 3 === 2 && piece !== ""),
  };
}

/** Says which brace is alone, or which text between braces is no name. */
function refuseStrayBraces(part: string, literals: readonly string[], path: string): void {
  if (!literals.some((literal) => /[{}]/.test(literal))) return;
  const misnamed = part.match(/\{[^{}]*\}/g)?.find((found) => !WHOLE.test(found));
  const wrong =
    misnamed === undefined
      ? ` has an unclosed brace in ${quoted(part)}; write {name}, or %7B and %7D where braces are meant`
      : `: ${quoted(misnamed)} is no parameter; write {name}, or {name*} to span segments; ` +
        "a name is a letter or `_`, then letters, digits, `_`, `.`, `-`";
  throw new InvalidTemplateError(path + wrong);
}

function unescaped(literal: string, path: string): string {
  try {
    return literal.replace(/(?:%[0-9A-Fa-f]{2})+/g, decodeURIComponent);
  } catch {
    throw new InvalidTemplateError(`${path} has an escape that does not decode to UTF-8; write the character`);
  }
}
