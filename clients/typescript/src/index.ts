export { PROBLEMS, type ProblemCode, type ProblemKind } from "./generated/problems.js";
export type { Permission, Register } from "./permissions.js";
