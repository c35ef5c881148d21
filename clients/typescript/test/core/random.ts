// Random values from a seed, so that what failed fails again.

/** A generator by its seed (mulberry32). */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed;
  }

  /** A whole number from 0 to below `end`. */
  below(end: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * end);
  }

  chance(): boolean {
    return this.below(2) === 1;
  }

  pick<Value>(values: readonly Value[]): Value {
    return values[this.below(values.length)] as Value;
  }

  /** Some of them, in their order. */
  some<Value>(values: readonly Value[]): readonly Value[] {
    return values.filter(() => this.chance());
  }

  /** As many as `most` of what `make` makes. */
  list<Value>(most: number, make: () => Value): readonly Value[] {
    return Array.from({ length: this.below(most + 1) }, make);
  }

  shuffled<Value>(values: readonly Value[]): readonly Value[] {
    const left = [...values];
    return values.flatMap(() => left.splice(this.below(left.length), 1));
  }

  bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.below(256));
  }
}
