// From a method and a path to the rule that decides it, whatever the order of the table (spec/rules.md).
//
// The method comes first, so that a more specific template without the method hides nothing. Templates that cross, so
// that neither is more specific, must *both* be satisfied: whichever of the two the server behind picks, its
// requirement was met.

import type { Register } from "./grant.js";
import type { Match } from "./match.js";
import { bothOf, compileRequirement, type Need, type Requirement } from "./requirement.js";
import { type Rule, RulesError, type RuleTable, ruleFaults } from "./rules.js";
import { addTemplate, collect, newPlace, type Place } from "./tree.js";
import { covers } from "./wider.js";

/** A compiled table, under one register. Made by `compileRules`. */
export interface Rules {
  readonly rules: readonly Rule[];
  readonly register: Register;
  readonly corsPreflight: boolean;
  /** The templates of each method. */
  readonly trees: ReadonlyMap<string, Place>;
  /** What each rule is where it applies alone. */
  readonly alone: readonly Match[];
  /** What rules are that match together, as far as such requests came. */
  readonly together: Map<string, Match>;
}

/** What is known of a request besides its method and path. */
export interface MatchOptions {
  /** It is a CORS preflight: OPTIONS with `Access-Control-Request-Method`. */
  readonly preflight?: boolean | undefined;
}

// Far above the combinations a table can bring about; it only keeps a hostile mix of paths from growing the copies.
const MOST_TOGETHER = 100_000;

/** A CORS preflight where the rules let them pass. */
const PREFLIGHT: Match = {
  public: true,
  operation: { method: "OPTIONS", template: { text: "*", segments: [] } },
  writes: false,
};

/**
 * Compiles a table.
 *
 * Throws RulesError where it is ambiguous, and UnknownPermissionError for a permission the catalog does not have.
 */
export function compileRules(table: RuleTable, register: Register): Rules {
  const faults = ruleFaults(table);
  if (faults.length > 0) throw new RulesError(faults);
  const { rules, corsPreflight = false } = table;
  const trees = new Map<string, Place>();
  for (const [at, { operation }] of rules.entries()) {
    const root = trees.get(operation.method) ?? newPlace();
    trees.set(operation.method, root);
    addTemplate(root, operation.template, at);
  }
  return {
    rules,
    register,
    corsPreflight,
    trees,
    alone: rules.map((rule) => join(rule, [], register)),
    together: new Map(),
  };
}

/**
 * Finds what a request is; undefined where no rule lists it: refuse it. `segments` are those of `readTarget`.
 *
 * HEAD is decided as GET unless it is listed itself.
 */
export function matchOperation(
  rules: Rules,
  method: string,
  segments: readonly string[],
  { preflight = false }: MatchOptions = {},
): Match | undefined {
  const found = search(rules, method, segments);
  if (found !== undefined) return found;
  if (method === "HEAD") return search(rules, "GET", segments);
  return preflight && method === "OPTIONS" && rules.corsPreflight ? PREFLIGHT : undefined;
}

function search(rules: Rules, method: string, segments: readonly string[]): Match | undefined {
  const tree = rules.trees.get(method);
  if (tree === undefined) return undefined;
  const hits: number[] = [];
  collect(tree, segments, 0, hits);
  const [first] = hits;
  if (first === undefined) return undefined;
  return hits.length === 1 ? rules.alone[first] : matchTogether(rules, hits);
}

/** Joins the rules that matched into one answer, once for each combination that occurs. */
function matchTogether({ rules, register, together }: Rules, hits: readonly number[]): Match | undefined {
  const key = hits.join();
  const known = together.get(key);
  if (known !== undefined) return known;
  const [first, ...others] = undominated(hits.flatMap((hit) => rules[hit] ?? []));
  if (first === undefined) return undefined;
  const match = join(first, others, register);
  if (together.size >= MOST_TOGETHER) together.clear();
  together.set(key, match);
  return match;
}

/** Leaves out each rule whose template is strictly wider than another one's that matched too. */
function undominated(rules: readonly Rule[]): readonly Rule[] {
  const templates = rules.map((rule) => rule.operation.template);
  return rules.filter(({ operation: { template } }) =>
    templates.every((other) => !covers(template, other) || covers(other, template)),
  );
}

function join(first: Rule, others: readonly Rule[], register: Register): Match {
  const { operation, object } = first;
  const guarded = [first, ...others].filter(isGuarded);
  const requirement = requirementOf(guarded);
  if (requirement === undefined) return { public: true, operation, object, writes: mayWrite(operation.method) };
  const need = compileRequirement(requirement, register);
  const report = guarded.every((rule) => rule.mode === "report");
  return { public: false, operation, object, writes: writes(operation.method, need), need, report };
}

/** What rules that apply together need: all of it. Nothing, and so public, only where every one of them is. */
function requirementOf(guarded: readonly GuardedRule[]): Requirement | undefined {
  const [first, ...others] = guarded.map((rule) => rule.requirement);
  return first === undefined ? undefined : others.reduce(bothOf, first);
}

type GuardedRule = Rule & { readonly requirement: Requirement };

function isGuarded(rule: Rule): rule is GuardedRule {
  return rule.requirement !== "public";
}

/** A requirement that only observes is a read; one of nothing is what its method says. */
function writes(method: string, need: Need): boolean {
  return need.masks.some((mask) => mask !== 0n) ? !need.observes : mayWrite(method);
}

function mayWrite(method: string): boolean {
  return method !== "GET" && method !== "HEAD";
}
