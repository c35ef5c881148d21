// The catalog: the resources of one platform, their groups, the levels each offers, and the presets.
//
// Holds what the catalog means; what can be wrong with one stands in `faults`, and the bits of its permissions in `grant`.

import { faultsOf } from "./faults.js";
import { nearest } from "./nearest.js";
import { OPERATOR_ONLY, OWN_LEVELS, OWN_RESOURCES, RESERVED_PREFIX } from "./own.js";
import { type Permission, type PermissionName, permission } from "./permission.js";
import { quoted } from "./text.js";

/** A functional area of the protected platform and the levels it offers. */
export interface Resource {
  readonly name: string;
  readonly title: string;
  readonly group: string;
  readonly levels: readonly string[];
  /** What it is about, for people. */
  readonly covers?: string;
}

/** A named set of permissions for a purpose; resolved when a key is made. */
export interface Preset {
  readonly name: string;
  readonly title: string;
  readonly permissions: readonly string[];
}

/** A catalog as it is written. */
export interface CatalogDefinition {
  readonly name: string;
  readonly resources: readonly Resource[];
  readonly presets?: readonly Preset[];
  /** The access levels there are; `read` and `write` unless set. */
  readonly levels?: readonly string[];
  /** The levels that only look; `read` unless set. */
  readonly observes?: readonly string[];
  /** What a level brings along on the same resource; nothing unless set. */
  readonly implies?: Readonly<Record<string, readonly string[]>>;
  /** Which of Scopekey's resources (`keys`) are other names for one of the catalog's. */
  readonly own?: Readonly<Record<string, string>>;
}

/** The permissions that exist. Made by `compileCatalog`. */
export interface Catalog {
  readonly name: string;
  /** The platform's resources, then Scopekey's own that are no alias of one of them. */
  readonly resources: ReadonlyMap<string, Resource>;
  readonly presets: readonly Preset[];
  readonly levels: readonly string[];
  readonly observes: ReadonlySet<string>;
  readonly implies: ReadonlyMap<string, readonly string[]>;
  readonly own: ReadonlyMap<string, string>;
  /** Every permission by its name, in the catalog's order. Aliases are not among them. */
  readonly permissions: ReadonlyMap<string, Permission>;
}

/** One thing wrong with a catalog: where (`["resource", 2, "name"]`), and what to do. */
export interface CatalogFault {
  readonly where: readonly (string | number)[];
  readonly message: string;
}

/** The catalog means nothing as it stands; `faults` lists everything that is wrong with it. */
export class CatalogError extends Error {
  override readonly name = "CatalogError";

  constructor(readonly faults: readonly CatalogFault[]) {
    super(faults.map((fault) => fault.message).join("; "));
  }
}

/** No such permission in the catalog; `nearest` is the known one that looks most like it. */
export class UnknownPermissionError extends Error {
  override readonly name = "UnknownPermissionError";

  constructor(
    readonly permission: string,
    readonly nearest: string | undefined,
  ) {
    const hint = nearest === undefined ? "use one that the catalog has" : `did you mean ${quoted(nearest)}?`;
    super(`There is no permission ${quoted(permission)}; ${hint}`);
  }
}

/** Reads a catalog. Throws CatalogError where its parts contradict each other. */
export function compileCatalog(definition: CatalogDefinition): Catalog {
  const faults = faultsOf(definition);
  if (faults.length > 0) throw new CatalogError(faults);
  const own = new Map(Object.entries(definition.own ?? {}));
  const unaliased = [...OWN_RESOURCES].filter(([name]) => !own.has(name)).map(([, resource]) => resource);
  const resources = [...definition.resources, ...unaliased];
  const permissions = resources.flatMap(({ name, levels }) => levels.map((level) => permission(name, level)));
  return {
    name: definition.name,
    resources: new Map(resources.map((resource) => [resource.name, resource])),
    presets: definition.presets ?? [],
    levels: definition.levels ?? OWN_LEVELS,
    observes: new Set(definition.observes ?? ["read"]),
    // A map, for a level may be called `constructor`.
    implies: new Map(Object.entries(definition.implies ?? {})),
    own,
    permissions: new Map(permissions.map((one) => [one.name, one])),
  };
}

/** The permission with that name; an alias of `own` gives the catalog's. Throws UnknownPermissionError. */
export function findPermission(catalog: Catalog, name: string): Permission {
  const found = catalog.permissions.get(name) ?? catalog.permissions.get(withoutAlias(catalog, name));
  if (found === undefined) throw new UnknownPermissionError(name, nearest(name, catalog.permissions.keys()));
  return found;
}

/** A permission for people: `Read Datasets`. Throws UnknownPermissionError. */
export function permissionTitle(catalog: Catalog, name: PermissionName): string {
  const { resource, level } = findPermission(catalog, name);
  const words = level.replaceAll("_", " ");
  return `${words.charAt(0).toUpperCase()}${words.slice(1)} ${catalog.resources.get(resource)?.title ?? resource}`;
}

/** Tells whether a permission only looks. Scopekey's own follow read and write, whatever `observes` says. */
export function isObserving(catalog: Catalog, { resource, level }: Permission): boolean {
  return isOwn(catalog, resource) ? level === "read" : catalog.observes.has(level);
}

/** Tells whether a resource guards Scopekey itself, by its own name or as the alias of one. */
export function isOwn(catalog: Catalog, resource: string): boolean {
  return resource.startsWith(RESERVED_PREFIX) || [...catalog.own.values()].includes(resource);
}

/** Tells whether only keys of the operator may hold the permission. */
export function isOperatorOnly(catalog: Catalog, { resource }: Permission): boolean {
  const aliased = [...catalog.own].find(([, alias]) => alias === resource)?.[0];
  if (aliased !== undefined) return OPERATOR_ONLY.has(aliased);
  return resource.startsWith(RESERVED_PREFIX) && OPERATOR_ONLY.has(resource.slice(RESERVED_PREFIX.length));
}

/** What a permission brings along on the same resource, transitively. By default nothing. */
export function impliedBy(catalog: Catalog, { resource, level }: Permission): readonly Permission[] {
  if (isOwn(catalog, resource)) return [];
  const brought = new Set(catalog.implies.get(level) ?? []);
  // A set is gone through with what is added on the way.
  for (const each of brought) for (const more of catalog.implies.get(each) ?? []) brought.add(more);
  brought.delete(level);
  const offered = catalog.resources.get(resource)?.levels ?? [];
  return offered.filter((each) => brought.has(each)).map((each) => permission(resource, each));
}

function withoutAlias(catalog: Catalog, name: string): string {
  const colon = name.indexOf(":");
  if (colon < 0 || !name.startsWith(RESERVED_PREFIX)) return name;
  const alias = catalog.own.get(name.slice(RESERVED_PREFIX.length, colon));
  return alias === undefined ? name : alias + name.slice(colon);
}
