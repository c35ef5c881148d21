// Text as the other languages see it: in code points, not in UTF-16 units.

/** A text in a message, in quotes: controls and lone surrogates are escaped. */
export function quoted(text: string): string {
  return JSON.stringify(text);
}

/** How many code points a text has. */
export function lengthOf(text: string): number {
  return Array.from(text).length;
}

/** The order of two texts by their code points: less than 0 where the first one comes first. */
export function byCodePoints(one: string, other: string): number {
  let at = 0;
  while (at < one.length && one.charCodeAt(at) === other.charCodeAt(at)) at += 1;
  // Units alone would put U+10000, written with surrogates, before U+E000.
  return (one.codePointAt(at) ?? -1) - (other.codePointAt(at) ?? -1);
}
