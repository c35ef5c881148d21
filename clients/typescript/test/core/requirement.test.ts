import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import { test } from "node:test";
import {
  ANY_LIVE_KEY,
  bothOf,
  compileRequirement,
  missing,
  parseRequirement,
  type Requirement,
  register,
  requirementText,
  satisfied,
} from "../../src/core/index.js";
import { catalogOf } from "./vectors.js";

const REGISTER = register(
  catalogOf({
    resources: [
      ["datasets", "Datasets", "Core Data", ["read", "write"]],
      ["queries", "Queries", "Core Data", ["read", "write"]],
      ["jobs", "Jobs", "Operations", ["read"]],
    ],
  }),
);

function requirement(...alternatives: readonly string[]): Requirement {
  const names = alternatives.map((alternative) => alternative.split(" ").filter((name) => name !== ""));
  return parseRequirement(names, REGISTER.catalog);
}

test("a requirement is written as its header", () => {
  const written = requirementText(requirement("datasets:read queries:read", "jobs:read"));
  strictEqual("datasets:read, queries:read; jobs:read", written);
  strictEqual("", requirementText(ANY_LIVE_KEY));
});

test("joining two requirements leaves out what stands twice", () => {
  const one = requirement("datasets:read", "jobs:read");
  const other = requirement("datasets:read", "queries:read jobs:read");
  deepStrictEqual(
    [
      ["datasets:read"],
      ["datasets:read", "queries:read", "jobs:read"],
      ["jobs:read", "datasets:read"],
      ["jobs:read", "queries:read"],
    ],
    bothOf(one, other).anyOf,
  );
});

test("nobody and somebody is nobody, and any key and somebody is somebody", () => {
  deepStrictEqual({ anyOf: [] }, bothOf({ anyOf: [] }, requirement("jobs:read")));
  deepStrictEqual(requirement("jobs:read"), bothOf(ANY_LIVE_KEY, requirement("jobs:read")));
});

test("an empty requirement is met by nobody, an empty alternative by any key", () => {
  strictEqual(undefined, satisfied(compileRequirement({ anyOf: [] }, REGISTER), REGISTER.all));
  strictEqual(0, satisfied(compileRequirement(ANY_LIVE_KEY, REGISTER), 0n));
});

test("a requirement of nothing does not count as looking", () => {
  const looks = (...alternatives: readonly string[]) =>
    compileRequirement(requirement(...alternatives), REGISTER).observes;
  deepStrictEqual(
    [false, true, false],
    [looks(""), looks("datasets:read", "jobs:read"), looks("datasets:read", "datasets:write")],
  );
});

test("a permission that the catalog does not have is refused, however it gets there", () => {
  throws(() => requirement("jobs:write"), { name: "UnknownPermissionError" });
  throws(() => compileRequirement({ anyOf: [["jobs:write"]] }, REGISTER), { name: "UnknownPermissionError" });
});

test("of levels that bring each other the first one is missing", () => {
  const levels = ["read", "write"];
  const implies = { read: ["write"], write: ["read"] };
  const circle = register(catalogOf({ resources: [["x", "X", "G", levels]], levels, implies }));
  const need = compileRequirement({ anyOf: [["x:write", "x:read"]] }, circle);
  deepStrictEqual(["x:read"], missing(need, 0n, circle));
});
