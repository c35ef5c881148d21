import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { test } from "node:test";
import {
  bothOf,
  type Call,
  canonicalPath,
  compileRequirement,
  decide,
  effective,
  heldBy,
  type Key,
  maskOf,
  namesOf,
  networksCover,
  type Requirement,
  readTarget,
  satisfied,
} from "../../src/core/index.js";
import { Random } from "./random.js";
import {
  ADDRESSES,
  anyKey,
  anyOrganization,
  anyRequirement,
  anyTime,
  IMPLYING,
  NETWORKS,
  PLAIN,
  platform,
} from "./values.js";

const ROUNDS = 4_000;

function anyCall(random: Random): Call & { readonly key: Key; readonly requirement: Requirement } {
  const register = random.pick([PLAIN, IMPLYING]);
  const requirement = anyRequirement(random, platform(register));
  return {
    key: anyKey(random, register),
    secret: { number: 1, until: random.below(4) === 0 ? anyTime(random) : undefined },
    organization: anyOrganization(random),
    requirement,
    need: compileRequirement(requirement, register),
    register,
    now: anyTime(random),
    address: random.pick(ADDRESSES),
  };
}

/** Fewer permissions, an earlier end, fewer networks. */
function narrowed(random: Random, { key, register }: ReturnType<typeof anyCall>): Key {
  const end = anyTime(random);
  const inside = NETWORKS.filter((network) => networksCover(key.networks, [network]));
  return {
    ...key,
    grant: key.grant & maskOf(register, random.some(platform(register))),
    expires: random.chance() ? Math.min(end, key.expires ?? end) : key.expires,
    networks: random.chance() && inside.length > 0 ? [random.pick(inside)] : key.networks,
  };
}

/** Runs a law on many random values; it answers whether it had something to say of one. */
function law(name: string, seed: number, holds: (random: Random) => boolean): void {
  test(name, () => {
    const random = new Random(seed);
    let said = 0;
    for (let round = 0; round < ROUNDS; round += 1) said += holds(random) ? 1 : 0;
    ok(said > ROUNDS / 50, `only ${said} of ${ROUNDS} rounds had something to say`);
  });
}

law("whatever a narrowed key may do, the key it came from could do", 11, (random) => {
  const call = anyCall(random);
  if (!decide({ ...call, key: narrowed(random, call) }).allowed) return false;
  strictEqual(true, decide(call).allowed);
  return true;
});

law("adding a permission never takes anything away", 12, (random) => {
  const call = anyCall(random);
  if (!decide(call).allowed) return false;
  const more = maskOf(call.register, random.some(platform(call.register)));
  strictEqual(true, decide({ ...call, key: { ...call.key, grant: call.key.grant | more } }).allowed);
  return true;
});

law("the order of alternatives and of their permissions never matters", 13, (random) => {
  const call = anyCall(random);
  const anyOf = random.shuffled(call.requirement.anyOf.map((names) => random.shuffled(names)));
  const decision = decide(call);
  strictEqual(decision.allowed, decide({ ...call, need: compileRequirement({ anyOf }, call.register) }).allowed);
  return decision.allowed;
});

law("what is missing is not held, and who gets it is allowed", 14, (random) => {
  const call = anyCall(random);
  const decision = decide(call);
  if (decision.allowed || decision.missing.length === 0) return false;
  const granted = { ...call.key, grant: call.key.grant | maskOf(call.register, decision.missing), probation: 0n };
  strictEqual(true, decide({ ...call, key: granted }).allowed);
  const held = namesOf(call.register, effective(call.register, heldBy(call.key, call.now)));
  deepStrictEqual(
    [],
    decision.missing.filter((name) => held.includes(name)),
  );
  return true;
});

law("a decision is what plain sets of names say", 15, (random) => {
  const held = new Set(random.some(platform(PLAIN)));
  const { anyOf } = anyRequirement(random, platform(PLAIN));
  const met = anyOf.some((names) => names.every((name) => held.has(name)));
  const need = compileRequirement({ anyOf }, PLAIN);
  strictEqual(met, satisfied(need, effective(PLAIN, maskOf(PLAIN, held))) !== undefined);
  return met;
});

law("both of two requirements are met by what meets each", 16, (random) => {
  const [one, other] = [anyRequirement(random, platform(IMPLYING)), anyRequirement(random, platform(IMPLYING))];
  const held = effective(IMPLYING, maskOf(IMPLYING, random.some(platform(IMPLYING))));
  const met = (requirement: Requirement) => satisfied(compileRequirement(requirement, IMPLYING), held) !== undefined;
  strictEqual(met(one) && met(other), met(bothOf(one, other)));
  return met(one) && met(other);
});

test("one permission opens itself and nothing else", () => {
  const names = platform(PLAIN);
  for (const held of names) {
    const opened = names.filter((name) => {
      const need = compileRequirement({ anyOf: [[name]] }, PLAIN);
      return satisfied(need, effective(PLAIN, maskOf(PLAIN, [held]))) !== undefined;
    });
    deepStrictEqual([held], opened);
  }
});

law("a mask is a set of permissions", 17, (random) => {
  const names = random.some(platform(IMPLYING));
  deepStrictEqual(names, namesOf(IMPLYING, maskOf(IMPLYING, [...random.shuffled(names), ...names])));
  return names.length > 0;
});

const SCRAPS = [
  "/",
  "a",
  "B",
  "~",
  ".",
  "..",
  "%",
  "%2e",
  "%41",
  "%2F",
  "%25",
  "41",
  "%C3%A9",
  "%FF",
  "%00",
  ";",
  " ",
  "%20",
];
const MORE_SCRAPS = [
  "\\",
  "?",
  "#",
  "+",
  "@",
  "%40",
  "%7E",
  "%EF%BB%BF",
  "%ed%a0%80",
  "\u00e9",
  "\u0000",
  "{",
  '"',
  "%3B",
];

law("every target is refused or read, and what is read is read from its canonical path again", 18, (random) => {
  const raw = `/${random.list(5, () => random.pick([...SCRAPS, ...MORE_SCRAPS])).join("")}`;
  const target = readTarget(Buffer.from(raw, "latin1"));
  if (!target.readable) return false;
  deepStrictEqual(target, readTarget(canonicalPath(target)));
  return true;
});
