// Gateways that are none, on loopback: what a guard must not take for a yes.

import { createServer, type ServerResponse } from "node:http";
import { type AddressInfo, connect, createServer as createTcp, type Server, type Socket } from "node:net";

/** An answer that lets through, as `POST /v1/verify` gives it. */
export const YES = {
  allowed: true,
  code: null,
  key_id: "key_000000000001",
  organization: "org_000000000001",
  environment: "live",
  permissions: ["datasets:read"],
  missing: [],
  expires_at: null,
  position: 1,
  age: 0,
  stale: false,
};

/** Something that listens on loopback. */
export interface Listening {
  url: string;
  /** How many connections were opened to it. */
  opened: () => number;
  /** The bodies it was sent. */
  heard: string[];
  stop: () => void;
}

/** One that answers what it is told to. */
export async function answering(answer: (response: ServerResponse) => void): Promise<Listening> {
  const heard: string[] = [];
  const server = createServer(async (request, response) => {
    let text = "";
    for await (const part of request) text += part;
    heard.push(text);
    answer(response);
  });
  return listening(server, heard);
}

/** One that takes what it is sent and says nothing. */
export function silent(): Promise<Listening> {
  return listening(createTcp((socket) => void socket.resume()));
}

/** One that hands everything on to a port. */
export function relay(port: number): Promise<Listening> {
  return listening(
    createTcp((near) => {
      const far = connect(port, "127.0.0.1");
      near.pipe(far).pipe(near);
      far.on("error", () => near.destroy());
    }),
  );
}

async function listening(server: Server, heard: string[] = []): Promise<Listening> {
  const sockets: Socket[] = [];
  server.on("connection", (socket) => {
    sockets.push(socket);
    socket.on("error", () => undefined);
  });
  await new Promise<void>((up) => server.listen(0, "127.0.0.1", up));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    opened: () => sockets.length,
    heard,
    stop: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}
