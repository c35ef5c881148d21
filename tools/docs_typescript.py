"""The closed list of problems as a module of the TypeScript client: the words of the server, and types of the codes."""

import json

from scopekey.core.problem import PROBLEMS, Problem

PATH = "clients/typescript/src/generated/problems.ts"

HEAD = """// Generated from src/scopekey/core/problem.py by `make docs`. Change it there.

/** One kind of refusal: what happened, what it means and what to do; `error` is for the challenge of RFC 6750. */
export interface ProblemKind {
  readonly status: number;
  readonly title: string;
  readonly meaning: string;
  readonly action: string;
  readonly error?: "invalid_request" | "invalid_token" | "insufficient_scope";
  readonly challenge: boolean;
}

/** Every problem by its code. Codes are public and never reused. */
export const PROBLEMS = {
"""
TAIL = """} as const satisfies Record<string, ProblemKind>;

/** The code of a problem. */
export type ProblemCode = keyof typeof PROBLEMS;
"""


def pages() -> dict[str, str]:
    """The module."""
    rows = "".join(f"  {code}: {_kind(problem)},\n" for code, problem in PROBLEMS.items())
    return {PATH: HEAD + rows + TAIL}


def _kind(problem: Problem) -> str:
    fields: dict[str, object] = {
        "status": problem.status,
        "title": problem.title,
        "meaning": problem.meaning,
        "action": problem.action,
        **({"error": problem.error} if problem.error else {}),
        "challenge": problem.challenge,
    }
    inside = "".join(f"    {name}: {json.dumps(value)},\n" for name, value in fields.items())
    return "{\n" + inside + "  }"
