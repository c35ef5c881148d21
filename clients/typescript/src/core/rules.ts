// The rules: which operation needs what. An operation that is not among them is refused.
//
// Holds what the table means; how a request finds its rule stands in `matcher`.

import type { Requirement } from "./requirement.js";
import { InvalidTemplateError, parameterNames, parseTemplate, shapeOf, type Template } from "./template.js";
import { quoted } from "./text.js";

// A method is a token (RFC 9110 section 9.1); the registered ones are upper case, and case matters.
const METHOD = /^[A-Z][A-Z0-9-]{0,31}$/;

/** An HTTP method and a path template: `GET /datasets/{dataset_id}/sample`. */
export interface Operation {
  readonly method: string;
  readonly template: Template;
}

/** One operation and what it needs. */
export interface Rule {
  readonly operation: Operation;
  /** What a key must hold, or `"public"`: allowed without one. */
  readonly requirement: Requirement | "public";
  /** The parameter that names the object, for the audit log. */
  readonly object?: string | undefined;
  /** `report` forgives a missing permission, and only that; the record keeps the denial. `enforce` unless set. */
  readonly mode?: "enforce" | "report" | undefined;
}

/** The table. Its order means nothing. */
export interface RuleTable {
  readonly rules: readonly Rule[];
  /** Lets CORS preflights pass that are not listed. */
  readonly corsPreflight?: boolean | undefined;
}

/** One thing wrong with the table: the rule's position in it, from 0, and what to do. */
export interface RuleFault {
  readonly rule: number;
  readonly field: "operation" | "object";
  readonly message: string;
}

/** The text is not `METHOD /path`; says why. */
export class InvalidOperationError extends Error {
  override readonly name = "InvalidOperationError";
}

/** The table is ambiguous; `faults` lists everything that is wrong with it. */
export class RulesError extends Error {
  override readonly name = "RulesError";

  constructor(readonly faults: readonly RuleFault[]) {
    super(faults.map((fault) => fault.message).join("; "));
  }
}

/** Reads `METHOD /path`. Throws InvalidOperationError. */
export function parseOperation(text: string): Operation {
  const space = text.indexOf(" ");
  const method = text.slice(0, Math.max(space, 0));
  if (!METHOD.test(method)) {
    throw new InvalidOperationError(`${quoted(text)} is not an operation: write METHOD /path, as in GET /datasets.`);
  }
  try {
    return { method, template: parseTemplate(text.slice(space + 1)) };
  } catch (error) {
    if (error instanceof InvalidTemplateError) throw new InvalidOperationError(error.message, { cause: error });
    throw error;
  }
}

/** An operation as it was written. */
export function operationText({ method, template }: Operation): string {
  return `${method} ${template.text}`;
}

/**
 * Everything that makes a table ambiguous: an operation listed twice, an object that is no parameter.
 *
 * Two templates that differ in the names of their parameters alone are one operation.
 */
export function ruleFaults({ rules }: RuleTable): readonly RuleFault[] {
  const seen = new Map<string, number>();
  const faults: RuleFault[] = [];
  for (const [at, { operation, object }] of rules.entries()) {
    const name = quoted(operationText(operation));
    const same = `${operation.method} ${shapeOf(operation.template)}`;
    const first = seen.get(same);
    if (first === undefined) seen.set(same, at);
    else {
      const message = `${name} has two rules (the first is rule ${first + 1}): keep one`;
      faults.push({ rule: at, field: "operation", message });
    }
    if (object !== undefined && !parameterNames(operation.template).includes(object)) {
      faults.push({
        rule: at,
        field: "object",
        message: `${name} has no parameter ${quoted(object)}: name one of its own`,
      });
    }
  }
  return faults;
}
