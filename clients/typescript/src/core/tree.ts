// The templates of one method as a tree of segments: every one that matches a path, in one walk.
//
// From left to right literal before mixed before parameter before span: what is found first is most specific.

import { accepts, type Mixed, type Segment, type Template } from "./template.js";
import { byCodePoints, lengthOf } from "./text.js";

/** A place in the tree: what may come next, and the rules that end here. */
export interface Place {
  readonly literals: Map<string, Place>;
  readonly mixed: { readonly segment: Mixed; readonly place: Place }[];
  parameter: Place | undefined;
  span: Place | undefined;
  /** How many segments may follow a span here, the most first: a template has one span, so all else has a length. */
  tails: readonly number[];
  readonly rules: number[];
}

/** A tree without templates. */
export function newPlace(): Place {
  return { literals: new Map(), mixed: [], parameter: undefined, span: undefined, tails: [], rules: [] };
}

/** Adds the template of a rule. */
export function addTemplate(root: Place, { segments }: Template, rule: number): void {
  let place = root;
  for (const [at, segment] of segments.entries()) {
    if (segment.kind === "span") {
      const tails = new Set([...place.tails, segments.length - at - 1]);
      place.tails = [...tails].sort((one, other) => other - one);
    }
    place = nextPlace(place, segment);
  }
  place.rules.push(rule);
}

/** Collects every rule that matches a path from segment `at` on, the most specific first. */
export function collect(from: Place, segments: readonly string[], at: number, found: number[]): void {
  let place = from;
  // Most places have one way on: a turn of this loop costs less than a call.
  for (let here = at; here < segments.length; here += 1) {
    if (place.mixed.length > 0 || place.span !== undefined) {
      fork(place, segments, here, found);
      return;
    }
    const segment = segments[here] ?? "";
    const literal = place.literals.get(segment);
    const parameter = segment === "" ? undefined : place.parameter;
    if (literal !== undefined && parameter !== undefined) collect(literal, segments, here + 1, found);
    const following = parameter ?? literal;
    if (following === undefined) return;
    place = following;
  }
  found.push(...place.rules);
}

/** Goes every way that a place with mixed segments or a span offers. */
function fork(place: Place, segments: readonly string[], at: number, found: number[]): void {
  const segment = segments[at] ?? "";
  const literal = place.literals.get(segment);
  if (literal !== undefined) collect(literal, segments, at + 1, found);
  for (const mixed of place.mixed) {
    if (accepts(mixed.segment, segment)) collect(mixed.place, segments, at + 1, found);
  }
  if (place.parameter !== undefined && segment !== "") collect(place.parameter, segments, at + 1, found);
  if (place.span === undefined) return;
  for (const tail of place.tails) {
    if (segments.length - tail > at) collect(place.span, segments, segments.length - tail, found);
  }
}

function nextPlace(place: Place, segment: Segment): Place {
  switch (segment.kind) {
    case "literal":
      return nextLiteral(place, segment.text);
    case "mixed":
      return nextMixed(place, segment);
    case "parameter":
      place.parameter ??= newPlace();
      return place.parameter;
    case "span":
      place.span ??= newPlace();
      return place.span;
  }
}

function nextLiteral(place: Place, text: string): Place {
  const known = place.literals.get(text) ?? newPlace();
  place.literals.set(text, known);
  return known;
}

function nextMixed(place: Place, segment: Mixed): Place {
  const known = place.mixed.find((mixed) => compareLiterals(mixed.segment, segment) === 0);
  if (known !== undefined) return known.place;
  const added = { segment, place: newPlace() };
  place.mixed.push(added);
  place.mixed.sort((one, other) => compareLiterals(one.segment, other.segment));
  return added.place;
}

/** The one with more literal text is more specific; the text itself settles the rest. */
function compareLiterals(one: Mixed, other: Mixed): number {
  const longer = lengthOf(other.literals.join("")) - lengthOf(one.literals.join(""));
  if (longer !== 0) return longer;
  for (const [at, literal] of one.literals.entries()) {
    const order = byCodePoints(literal, other.literals[at] ?? "");
    if (order !== 0) return order;
  }
  return one.literals.length - other.literals.length;
}
