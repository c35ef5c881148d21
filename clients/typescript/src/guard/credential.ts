// The key of a request that can be asked about, or the code it is refused with where there is none.

import { readCredential } from "../core/credential.js";

/** All field lines of a name, in lower case, each as it was sent. */
export type FieldLines = (name: string) => readonly string[];

/** Why a request has no key that could be asked about; each is the code of a problem. */
export type Absent = "no_credential" | "ambiguous_credential" | "malformed_key";
/** The key that was sent, or why there is none. */
export type Sent = { readonly key: string } | { readonly absent: Absent };

// A gateway is not asked about a longer one: no key is.
const LONGEST = 500;

/** Find the one key of a request. */
export function sentKey(lines: FieldLines): Sent {
  const found = readCredential(lines);
  if (found.kind === "absent") return { absent: "no_credential" };
  if (found.kind === "ambiguous") return { absent: "ambiguous_credential" };
  return found.text.length > LONGEST ? { absent: "malformed_key" } : { key: found.text };
}
