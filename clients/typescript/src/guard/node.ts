// What Node.js's own request has, whichever framework stands on it.

import type { FieldLines } from "./credential.js";

/** The parts of `http.IncomingMessage` that are looked at. */
export interface NodeRequest {
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  readonly rawHeaders: readonly string[];
  readonly socket: { readonly remoteAddress?: string | undefined };
}

/** Field lines as they were sent: Node joins or drops those that come twice elsewhere. */
export function linesOf(request: NodeRequest): FieldLines {
  return (name) => {
    const lines: string[] = [];
    for (let at = 0; at + 1 < request.rawHeaders.length; at += 2) {
      if (request.rawHeaders[at]?.toLowerCase() === name) lines.push(request.rawHeaders[at + 1] ?? "");
    }
    return lines;
  };
}

/** The address of the socket's other end; an IPv4 address as such also on a socket of IPv6. */
export function addressOf(request: NodeRequest): string | undefined {
  return request.socket.remoteAddress?.replace(/^::ffff:(?=\d+\.)/, "");
}
