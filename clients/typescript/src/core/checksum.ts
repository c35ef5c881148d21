// The checksum of a printed key: CRC-32 (ISO 3309, as in zlib). For typos and scanners; it adds no security.

import { base62 } from "./ids.js";

export const CHECKSUM_LENGTH = 6;

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let rest = byte;
  for (let bit = 0; bit < 8; bit += 1) rest = rest & 1 ? (rest >>> 1) ^ 0xedb88320 : rest >>> 1;
  return rest;
});

/** The checksum of all that stands before it, as 6 base62 characters. `payload` is ASCII. */
export function checksum(payload: string): string {
  let crc = 0xffffffff;
  for (let at = 0; at < payload.length; at += 1) {
    crc = (crc >>> 8) ^ (TABLE[(crc ^ payload.charCodeAt(at)) & 0xff] ?? 0);
  }
  return base62(BigInt((crc ^ 0xffffffff) >>> 0), CHECKSUM_LENGTH);
}

/** Tells whether a text ends in its own checksum: `false` is a typo. */
export function isIntact(text: string): boolean {
  // No printed key holds anything but ASCII.
  return /^\p{ASCII}*$/u.test(text) && checksum(text.slice(0, -CHECKSUM_LENGTH)) === text.slice(-CHECKSUM_LENGTH);
}
