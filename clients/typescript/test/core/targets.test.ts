import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { test } from "node:test";
import {
  canonicalPath,
  MAX_PATH_LENGTH,
  readTarget,
  TARGET_REFUSALS,
  type Target,
  type UnreadableTarget,
} from "../../src/core/index.js";
import { some, vectors } from "./vectors.js";

interface Row {
  readonly raw?: string;
  readonly repeat?: readonly [string, number, string];
  readonly segments?: readonly string[];
  readonly path?: string;
  readonly segments_count?: number;
  readonly refused?: string;
  readonly why: string;
}

const FILE = vectors<{ max_path_length: number; refusals: Record<string, string>; rows: readonly Row[] }>(
  "targets.json",
);

function textOf({ raw, repeat: [unit, times, tail] = ["", 0, ""] }: Row): string {
  return raw ?? unit.repeat(times) + tail;
}

function read(row: Row): Target | UnreadableTarget {
  return readTarget(Buffer.from(textOf(row), "latin1"));
}

for (const row of some(FILE.rows.filter(({ refused }) => refused !== undefined))) {
  test(`a target with no reading or two is refused: ${row.why}`, () => {
    const target = read(row);
    deepStrictEqual([row.refused, FILE.refusals[row.refused ?? ""]], target.readable || [target.refusal, target.why]);
  });
}

for (const row of some(FILE.rows.filter(({ segments }) => segments !== undefined))) {
  test(`a target with one reading is read: ${row.why}`, () => {
    const target = read(row);
    deepStrictEqual([row.segments, row.path], target.readable && [target.segments, canonicalPath(target)]);
  });
}

for (const row of some(FILE.rows.filter(({ segments_count }) => segments_count !== undefined))) {
  test(`a long target is read: ${row.why}`, () => {
    const target = read(row);
    strictEqual(row.segments_count, target.readable && target.segments.length);
  });
}

test("a string of bytes is read as the bytes are", () => {
  for (const row of some(FILE.rows)) deepStrictEqual(read(row), readTarget(textOf(row)));
});

test("a string of more than bytes is refused", () => {
  deepStrictEqual("unencoded", (readTarget("/datasets/\u{1F511}") as UnreadableTarget).refusal);
});

test("the canonical path is read as the target it is of", () => {
  for (const row of some(FILE.rows)) {
    const target = read(row);
    if (target.readable) deepStrictEqual(target, readTarget(canonicalPath(target)));
  }
});

test("the longest path and the refusals are those of the specification", () => {
  strictEqual(FILE.max_path_length, MAX_PATH_LENGTH);
  deepStrictEqual(FILE.refusals, TARGET_REFUSALS);
});
