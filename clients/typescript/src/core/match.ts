// What a request is under the rules: its operation, what it needs, and the object it is about.

import type { Need } from "./requirement.js";
import type { Operation } from "./rules.js";
import { mixedValues, type Template } from "./template.js";

interface Matched {
  /** The most specific operation of those that apply, by which the request is called. */
  readonly operation: Operation;
  /** The parameter that names the object. */
  readonly object?: string | undefined;
  /** The journal's word for whether the operation may change something. */
  readonly writes: boolean;
}

/** Allowed without a key: the credential is not looked at. */
export interface PublicMatch extends Matched {
  readonly public: true;
}

/** Needs a key. */
export interface GuardedMatch extends Matched {
  readonly public: false;
  readonly need: Need;
  /** Whether a missing permission, and only that, is forgiven. */
  readonly report: boolean;
}

export type Match = PublicMatch | GuardedMatch;

/** The name of a request's object in the path that was matched; undefined where no parameter names it. */
export function objectOf({ operation, object }: Match, segments: readonly string[]): string | undefined {
  return object === undefined ? undefined : parameterValue(operation.template, object, segments);
}

/**
 * The value a parameter has in a path that the template matches; the first, where a name stands twice.
 * Of a span, its segments joined by `/`.
 */
export function parameterValue(template: Template, name: string, segments: readonly string[]): string | undefined {
  const more = segments.length - template.segments.length;
  let at = 0;
  for (const segment of template.segments) {
    const next = segment.kind === "span" ? at + more + 1 : at + 1;
    const here = segments.slice(at, next).join("/");
    if (segment.kind === "mixed" && segment.names.includes(name)) {
      return mixedValues(segment, here)?.[segment.names.indexOf(name)];
    }
    if ((segment.kind === "parameter" || segment.kind === "span") && segment.name === name) return here;
    at = next;
  }
  return undefined;
}
