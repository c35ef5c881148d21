// A printed key, and how little of it is shown.

import { ConfigurationError } from "./errors.js";

const SENDABLE = /^[\x21-\x7e]+$/;
const PRINTED = /^([a-z0-9]{2,12})_([a-z0-9]+)_([0-9A-Za-z]{12})[0-9A-Za-z]{49}$/;

// A shorter one may be a word, and stand in any text.
const SHORTEST_HIDDEN = 16;

/** What a printed key says of itself. */
export interface PrintedParts {
  readonly prefix: string;
  readonly environment: string;
  /** As it is shown everywhere: `key_…`. */
  readonly id: string;
}

/** Holds a printed key where nothing prints it: only `reveal` gives it. */
export class Secret {
  readonly #printed: string;

  /** Throws ConfigurationError where it cannot be a key. */
  constructor(printed: string) {
    if (typeof printed !== "string" || !SENDABLE.test(printed)) {
      throw new ConfigurationError(
        "bad_api_key",
        "The key is empty or holds characters that no key has: give it as it was printed, without blanks or line ends.",
      );
    }
    this.#printed = printed;
  }

  /** The whole key. */
  reveal(): string {
    return this.#printed;
  }

  /** A text without it, whole or begun at the end: some platforms repeat the request in what they answer. */
  hide(text: string): string {
    if (this.#printed.length < SHORTEST_HIDDEN) return text;
    const shown = this.toString();
    const hidden = text.replaceAll(this.#printed, shown);
    for (let length = this.#printed.length - 1; length >= shown.length; length -= 1) {
      if (hidden.endsWith(this.#printed.slice(0, length))) return hidden.slice(0, -length) + shown;
    }
    return hidden;
  }

  /** What it says of itself; undefined where it has not the form of a key. */
  get parts(): PrintedParts | undefined {
    const found = PRINTED.exec(this.#printed);
    if (found === null) return undefined;
    const [, prefix = "", environment = "", id = ""] = found;
    return { prefix, environment, id: `key_${id}` };
  }

  /** Prefix, environment and id: `sck_live_Ab3dEf6hIj9k…`; of any other text nothing. */
  toString(): string {
    const parts = this.parts;
    return parts === undefined ? "…" : `${parts.prefix}_${parts.environment}_${parts.id.slice("key_".length)}…`;
  }

  toJSON(): string {
    return this.toString();
  }

  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }
}
