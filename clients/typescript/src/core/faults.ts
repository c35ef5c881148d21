// What can be wrong with a catalog: everything is told at once.

import type { CatalogDefinition, CatalogFault } from "./catalog.js";
import { nearest } from "./nearest.js";
import { OWN_LEVELS, OWN_RESOURCES, RESERVED_PREFIX } from "./own.js";
import { InvalidPermissionError, LEVEL_NAME, parsePermission, RESOURCE_NAME } from "./permission.js";
import { quoted } from "./text.js";

/** Everything that makes a catalog mean nothing. */
export function faultsOf(catalog: CatalogDefinition): readonly CatalogFault[] {
  return [...levelFaults(catalog), ...resourceFaults(catalog), ...ownFaults(catalog), ...presetFaults(catalog)];
}

function* levelFaults({ levels = OWN_LEVELS, observes = ["read"], implies = {} }: CatalogDefinition) {
  const known: ReadonlySet<string> = new Set(levels);
  if (known.size === 0) yield fault(["levels"], "`levels` is empty: a catalog needs at least one access level");
  for (const level of levels) {
    if (!LEVEL_NAME.test(level)) yield fault(["levels"], `level ${quoted(level)} must match ${LEVEL_NAME.source}`);
  }
  if (known.size < levels.length) yield fault(["levels"], "`levels` names a level twice: remove one");
  const named = { observes, implies: Object.entries(implies).flatMap(([level, brings]) => [level, ...brings]) };
  for (const [where, names] of Object.entries(named)) {
    for (const level of names.filter((name) => !known.has(name))) {
      yield fault([where], `\`${where}\` names the level ${quoted(level)}, which \`levels\` does not declare`);
    }
  }
}

function* resourceFaults({ resources, levels = OWN_LEVELS }: CatalogDefinition) {
  const seen = new Set<string>();
  for (const [at, resource] of resources.entries()) {
    const name = quoted(resource.name);
    const where = ["resource", at, "name"];
    if (!RESOURCE_NAME.test(resource.name)) {
      yield fault(where, `resource name ${name} must match ${RESOURCE_NAME.source}`);
    }
    if (resource.name.startsWith(RESERVED_PREFIX)) {
      yield fault(where, `resource name ${name}: the prefix ${quoted(RESERVED_PREFIX)} is reserved`);
    }
    if (seen.has(resource.name)) yield fault(where, `resource ${name} is declared twice: remove or rename one`);
    seen.add(resource.name);
    yield* offerFaults(`resource ${name} offers`, resource.levels, levels, ["resource", at, "levels"]);
  }
}

function* offerFaults(
  offer: string,
  offered: readonly string[],
  levels: readonly string[],
  where: readonly (string | number)[],
) {
  if (offered.length === 0) yield fault(where, `${offer} no level: name at least one`);
  for (const level of offered) {
    if (!levels.includes(level)) {
      yield fault(where, `${offer} the unknown level ${quoted(level)}; \`levels\` declares ${levels.join(", ")}`);
    }
  }
  if (new Set(offered).size < offered.length) yield fault(where, `${offer} a level twice: remove one`);
}

function* ownFaults({ resources, own = {} }: CatalogDefinition) {
  const known = new Map(resources.map((resource) => [resource.name, resource]));
  for (const [name, alias] of Object.entries(own)) {
    const points = `\`own\` points ${quoted(name)} to ${quoted(alias)}`;
    if (!OWN_RESOURCES.has(name)) {
      yield fault(
        ["own"],
        `\`own\` names ${quoted(name)}; Scopekey's own are ${[...OWN_RESOURCES.keys()].sort().join(", ")}`,
      );
    }
    const levels = known.get(alias)?.levels;
    if (levels === undefined) yield fault(["own"], `${points}, which is not a resource of this catalog`);
    else if (!OWN_LEVELS.every((level) => levels.includes(level))) {
      yield fault(["own"], `${points}, which must offer read and write`);
    }
  }
  const aliases = Object.values(own);
  if (new Set(aliases).size < aliases.length) {
    yield fault(["own"], "`own` points two of Scopekey's resources to the same one");
  }
}

function* presetFaults({ resources, presets = [], own = {} }: CatalogDefinition) {
  const known = new Set(resources.flatMap(({ name, levels }) => levels.map((level) => `${name}:${level}`)));
  const aliases = new Set(
    Object.keys(own).flatMap((name) => OWN_LEVELS.map((level) => `${RESERVED_PREFIX}${name}:${level}`)),
  );
  const seen = new Set<string>();
  for (const [at, { name, permissions }] of presets.entries()) {
    if (seen.has(name)) {
      yield fault(["preset", at, "name"], `preset ${quoted(name)} is declared twice: remove or rename one`);
    }
    seen.add(name);
    for (const text of permissions.filter((each) => !known.has(each) && !aliases.has(each))) {
      yield fault(["preset", at, "permissions"], `preset ${quoted(name)} ${wrongIn(text, known)}`);
    }
  }
}

function wrongIn(text: string, known: ReadonlySet<string>): string {
  try {
    if (parsePermission(text).resource.startsWith(RESERVED_PREFIX)) {
      return `holds ${quoted(text)}: Scopekey's own permissions may not be in a preset`;
    }
  } catch (error) {
    if (error instanceof InvalidPermissionError) return `holds what is none: ${error.message}`;
    throw error;
  }
  const near = nearest(text, known);
  const hint = near === undefined ? "remove it, or declare its resource" : `did you mean ${quoted(near)}?`;
  return `holds the unknown permission ${quoted(text)}; ${hint}`;
}

function fault(where: readonly (string | number)[], message: string): CatalogFault {
  return { where, message };
}
