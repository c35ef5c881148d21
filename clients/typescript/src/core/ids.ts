// The names of things: ids of keys and organizations, as types of their own.

/** `key_` and 12 base62 characters; public, stays the same through rotations. */
export type KeyId = `key_${string}`;
/** `org_` and 12 base62 characters. */
export type OrganizationId = `org_${string}`;

export const ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
export const ID_LENGTH = 12;
/** Random bytes that make an id. */
export const ID_RANDOM = 16;

const BASE = 62n;
const IDS = BASE ** BigInt(ID_LENGTH);

/**
 * Writes a number with `length` base62 digits, most significant first, zero-padded.
 * Throws RangeError where it is negative or does not fit.
 */
export function base62(number: bigint, length: number): string {
  let text = "";
  let rest = number;
  for (let place = 0; place < length; place += 1) {
    text = ALPHABET.charAt(Number(rest % BASE)) + text;
    rest /= BASE;
  }
  if (number < 0n || rest > 0n) throw new RangeError(`The number does not fit into ${length} base62 digits.`);
  return text;
}

/** Makes the 12 base62 characters of an id from 16 random bytes (bias below 2**-56). Throws RangeError for another number of bytes. */
export function publicId(random: Uint8Array): string {
  if (random.length !== ID_RANDOM) throw new RangeError(`An id is made from exactly ${ID_RANDOM} random bytes.`);
  return base62(bigEndian(random) % IDS, ID_LENGTH);
}

/** Makes a key's id from 16 random bytes. The id in a printed key is told by `parseKey`. */
export function keyId(random: Uint8Array): KeyId {
  return `key_${publicId(random)}`;
}

/** Makes an organization's id from 16 random bytes. */
export function organizationId(random: Uint8Array): OrganizationId {
  return `org_${publicId(random)}`;
}

/** Tells whether the text has the shape of a key's id. */
export function isKeyId(text: string): text is KeyId {
  return /^key_[0-9A-Za-z]{12}$/.test(text);
}

/** Tells whether the text has the shape of an organization's id. */
export function isOrganizationId(text: string): text is OrganizationId {
  return /^org_[0-9A-Za-z]{12}$/.test(text);
}

/** The number that bytes are, the most significant first. */
export function bigEndian(bytes: Uint8Array): bigint {
  return bytes.reduce((number, byte) => (number << 8n) | BigInt(byte), 0n);
}
