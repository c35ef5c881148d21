// The known name that an unknown one was probably meant to be.

import { MAX_LENGTH } from "./permission.js";
import { byCodePoints } from "./text.js";

// Below this two names have nothing to do with each other.
const ALIKE = 0.4;

/** The known name most like this one, if any is like it at all. */
export function nearest(name: string, known: Iterable<string>): string | undefined {
  // Comparing takes time with the square of the length, and the name may be a stranger's.
  if (name.length > MAX_LENGTH) return undefined;
  let found: string | undefined;
  let best = ALIKE;
  for (const candidate of known) {
    const alike = likeness(candidate, name);
    if (alike > best || (alike === best && byCodePoints(candidate, found ?? "") > 0)) {
      found = candidate;
      best = alike;
    }
  }
  return found;
}

/** How much two texts have in common, from 0 to 1, as Ratcliff and Obershelp count it: so other languages propose the same. */
function likeness(one: string, other: string): number {
  const both = one.length + other.length;
  return both === 0 ? 1 : (2 * inCommon(one, other)) / both;
}

function inCommon(one: string, other: string): number {
  const { at, from, length } = longestShared(one, other);
  if (length === 0) return 0;
  const before = inCommon(one.slice(0, at), other.slice(0, from));
  return before + length + inCommon(one.slice(at + length), other.slice(from + length));
}

function longestShared(one: string, other: string): { at: number; from: number; length: number } {
  let found = { at: 0, from: 0, length: 0 };
  let above: number[] = [];
  for (let at = 0; at < one.length; at += 1) {
    const row: number[] = [];
    for (let from = 0; from < other.length; from += 1) {
      const length = one[at] === other[from] ? (above[from - 1] ?? 0) + 1 : 0;
      row.push(length);
      if (length > found.length) found = { at: at - length + 1, from: from - length + 1, length };
    }
    above = row;
  }
  return found;
}
