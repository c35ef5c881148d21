// What a request of the Fetch API has: a whole URL, and fields whose lines are joined.

import type { FieldLines } from "./credential.js";

/**
 * The target of a whole URL as it stands there: what a router beside it reads is what is asked about, so nothing
 * is normalized here. Empty, which is no target, where no path begins after the host.
 */
export function targetOf(url: string): string {
  const host = url.indexOf("://") + 3;
  const end = host < 3 ? -1 : url.slice(host).search(/[/?#]/);
  return end >= 0 && url[host + end] === "/" ? url.slice(host + end) : "";
}

/** The joined lines of a field as one: it has a comma where there were several, which no key has. */
export function joinedLines(value: (name: string) => string | null | undefined): FieldLines {
  return (name) => {
    const joined = value(name);
    return joined === null || joined === undefined ? [] : [joined];
  };
}
