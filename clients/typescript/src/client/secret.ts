// A printed key, and how little of it is shown.

import { maskKey } from "../core/keyformat.js";
import { isSendable } from "../sending.js";
import { ConfigurationError } from "./errors.js";

// A shorter one may be a word, and stand in any text.
const SHORTEST_HIDDEN = 16;

/** Holds a printed key where nothing prints it: only `reveal` gives it. */
export class Secret {
  readonly #printed: string;

  /** Throws ConfigurationError where it cannot be a key. */
  constructor(printed: string) {
    if (!isSendable(printed)) {
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

  /** The environment that it names; undefined where it has not the form of a key. */
  get environment(): string | undefined {
    return this.toString().split("_")[1];
  }

  /** Its id as it is shown everywhere, `key_…`; undefined where it has not the form of a key. */
  get keyId(): string | undefined {
    const id = this.toString().split("_")[2];
    return id === undefined ? undefined : `key_${id.slice(0, -1)}`;
  }

  /** Prefix, environment and id: `sck_live_Ab3dEf6hIj9k…`; of any other text nothing. */
  toString(): string {
    return maskKey(this.#printed);
  }

  toJSON(): string {
    return this.toString();
  }

  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }
}
