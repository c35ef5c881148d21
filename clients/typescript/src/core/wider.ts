// Which of two templates is wider: whether one matches every path that the other one matches.

import { accepts, type Parameter, type Plain, type Segment, type Template } from "./template.js";

// Stands for a segment that a span fell on.
const SOME: Parameter = { kind: "parameter", name: "" };
// A character no readable target holds: a mixed segment written with it stands for all its values.
const ANY = "\0";

/** Tells whether every path that `inner` matches is matched by `outer`. */
export function covers(outer: Template, inner: Template): boolean {
  for (const plain of spelledOut(inner.segments, outer.segments.length)) {
    if (!coversAll(outer.segments, plain)) return false;
  }
  return true;
}

/** Writes a span as one segment, as two, and so on: past `longest` nothing new can be learnt. */
function* spelledOut(segments: readonly Segment[], longest: number): Generator<readonly Plain[]> {
  const span = segments.findIndex((segment) => segment.kind === "span");
  const before = segments.slice(0, span < 0 ? undefined : span).filter(isPlain);
  if (span < 0) {
    yield before;
    return;
  }
  const after = segments.slice(span + 1).filter(isPlain);
  for (let length = 0; length < longest; length += 1) {
    const some = Array<Parameter>(length).fill(SOME);
    yield [...before, ...some, SOME, ...after];
    if (after.length === 0) yield [...before, ...some, { kind: "literal", text: "" }];
  }
}

function isPlain(segment: Segment): segment is Plain {
  return segment.kind !== "span";
}

function coversAll(outer: readonly Segment[], inner: readonly Plain[]): boolean {
  const [mine, ...rest] = outer;
  const [theirs, ...others] = inner;
  if (mine === undefined || theirs === undefined) return mine === theirs;
  if (mine.kind === "span") return inner.some((_, at) => coversAll(rest, inner.slice(at + 1)));
  return coversOne(mine, theirs) && coversAll(rest, others);
}

function coversOne(outer: Plain, inner: Plain): boolean {
  if (inner.kind === "literal") return accepts(outer, inner.text);
  if (outer.kind === "parameter") return true;
  if (outer.kind === "literal" || inner.kind === "parameter") return false;
  return accepts(outer, inner.literals.join(ANY));
}
