// The known name that an unknown one was probably meant to be.

import { MAX_LENGTH } from "./permission.js";
import { byCodePoints } from "./text.js";

// Below this two names have nothing to do with each other.
const ALIKE = 0.4;

type Characters = readonly string[];

/** The known name most like this one, if any is like it at all. */
export function nearest(name: string, known: Iterable<string>): string | undefined {
  // Comparing takes time with the square of the length, and the name may be a stranger's.
  if (name.length > MAX_LENGTH) return undefined;
  let found: string | undefined;
  let best = ALIKE;
  for (const candidate of known) {
    const alike = likeness(Array.from(candidate), Array.from(name));
    if (alike > best || (alike === best && byCodePoints(candidate, found ?? "") > 0)) {
      found = candidate;
      best = alike;
    }
  }
  return found;
}

/** What two texts have in common, from 0 to 1, as Ratcliff and Obershelp count it: other languages propose the same. */
function likeness(one: Characters, other: Characters): number {
  const both = one.length + other.length;
  return both === 0 ? 1 : (2 * inCommon(one, other)) / both;
}

function inCommon(one: Characters, other: Characters): number {
  const { at, from, length } = longestShared(one, other);
  if (length === 0) return 0;
  const before = inCommon(one.slice(0, at), other.slice(0, from));
  return before + length + inCommon(one.slice(at + length), other.slice(from + length));
}

function longestShared(one: Characters, other: Characters): { at: number; from: number; length: number } {
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
