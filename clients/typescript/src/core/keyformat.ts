// The printed key: `<prefix>_<environment>_<id><secret><checksum>` (spec/key-format.md).
//
// Underscores stand only between the parts, so that a double click selects the whole key. The form is a promise to
// keys already issued: it never changes, only new forms may be added.

import { CHECKSUM_LENGTH, checksum } from "./checksum.js";
import { base62, bigEndian, ID_LENGTH, isKeyId, type KeyId } from "./ids.js";
import { quoted } from "./text.js";

const SECRET_LENGTH = 43;
/** Random bytes that make a secret. */
export const SECRET_RANDOM = 32;
const BODY_LENGTH = ID_LENGTH + SECRET_LENGTH + CHECKSUM_LENGTH;
const PREFIX = /^[a-z0-9]{2,12}$/;
const ENVIRONMENT = /^[a-z0-9]{2,16}$/;
const BODY = new RegExp(`^[0-9A-Za-z]{${BODY_LENGTH}}$`);
const OF_ANYBODY = new RegExp(
  `^([a-z0-9]{2,12}_[a-z0-9]{2,16}_[0-9A-Za-z]{${ID_LENGTH}})[0-9A-Za-z]{${BODY_LENGTH - ID_LENGTH}}$`,
);

/** No key has this form, or none can be printed in it. The message never holds a secret. */
export class KeyFormatError extends Error {
  override readonly name = "KeyFormatError";
}

/** The form of one deployment's keys: its prefix and the environments it knows. Made by `keyFormat`. */
export interface KeyFormat {
  readonly prefix: string;
  readonly environments: readonly string[];
}

/** A text with the shape of a key. It says nothing about whether the key exists. */
export interface PrintedKey {
  readonly text: string;
  readonly environment: string;
  readonly keyId: KeyId;
}

/** The form of a deployment that set none of its own: `sck_live_…`, `sck_test_…`. */
export const STANDARD_FORMAT: KeyFormat = { prefix: "sck", environments: ["live", "test"] };

/** The form of a deployment's keys. Throws KeyFormatError where no key can have it. */
export function keyFormat(prefix: string, environments: readonly string[]): KeyFormat {
  if (!PREFIX.test(prefix))
    throw new KeyFormatError(`The key prefix ${quoted(prefix)} must be 2 to 12 of a-z and 0-9.`);
  if (environments.length === 0) throw new KeyFormatError("At least one environment is needed.");
  for (const environment of environments) {
    if (!ENVIRONMENT.test(environment)) {
      throw new KeyFormatError(`The environment ${quoted(environment)} must be 2 to 16 of a-z and 0-9.`);
    }
  }
  return { prefix, environments: [...environments] };
}

/**
 * Splits a printed key into its parts; undefined for a wrong shape.
 *
 * The checksum is not looked at: a look-up finds a typo just as well, and only a miss has to ask which it was
 * (`isIntact`).
 */
export function parseKey(text: string, format: KeyFormat = STANDARD_FORMAT): PrintedKey | undefined {
  const [head, body] = [text.slice(0, -BODY_LENGTH), text.slice(-BODY_LENGTH)];
  if (!BODY.test(body)) return undefined;
  const environment = format.environments.find((known) => head === `${format.prefix}_${known}_`);
  return environment === undefined ? undefined : { text, environment, keyId: `key_${body.slice(0, ID_LENGTH)}` };
}

/** What a key is printed from: `random` are 32 bytes from a source fit for secrets. */
export interface KeyParts {
  readonly environment: string;
  readonly keyId: KeyId;
  readonly random: Uint8Array;
}

/** Prints a key. Throws KeyFormatError for another number of bytes, an unknown environment or what is no id. */
export function printKey({ environment, keyId, random }: KeyParts, format: KeyFormat = STANDARD_FORMAT): string {
  if (random.length !== SECRET_RANDOM) {
    throw new KeyFormatError(`A secret is made from exactly ${SECRET_RANDOM} random bytes.`);
  }
  if (!isKeyId(keyId)) throw new KeyFormatError(`${quoted(keyId)} is not the id of a key.`);
  if (!format.environments.includes(environment)) {
    throw new KeyFormatError(
      `There is no environment ${quoted(environment)}; known are ${format.environments.join(", ")}.`,
    );
  }
  const secret = base62(bigEndian(random), SECRET_LENGTH);
  const payload = `${format.prefix}_${environment}_${keyId.slice("key_".length)}${secret}`;
  return payload + checksum(payload);
}

/** How much of a key is shown: prefix, environment and id, `sck_live_Ab3dEf6hIj9k…`; of what is no key of any deployment `…`. */
export function maskKey(text: string): string {
  return `${OF_ANYBODY.exec(text)?.[1] ?? ""}…`;
}

/** The text with the id of a key, which everybody may know, where a printed key stood: for what is recorded. */
export function withoutSecrets(text: string, format: KeyFormat = STANDARD_FORMAT): string {
  if (!text.includes(format.prefix)) return text;
  // Of any length: a key that lost a character at its end is as good as whole to whoever guesses.
  return text.replace(new RegExp(`${headOf(format)}([0-9A-Za-z]{${ID_LENGTH}})[0-9A-Za-z]+`, "g"), "key_$1");
}

/** The regular expression for secret scanners that finds the keys of a deployment. */
export function keyPattern(format: KeyFormat = STANDARD_FORMAT): string {
  return `\\b${headOf(format)}[0-9A-Za-z]{${BODY_LENGTH}}\\b`;
}

function headOf({ prefix, environments }: KeyFormat): string {
  return `${prefix}_(?:${environments.join("|")})_`;
}
