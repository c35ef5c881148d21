// A permission: one access level on one resource, written `datasets:read`.

import { quoted } from "./text.js";

export const RESOURCE_NAME = /^[a-z0-9][a-z0-9_.-]{0,63}$/;
export const LEVEL_NAME = /^[a-z][a-z0-9_]{0,31}$/;
/** The longest name of a permission. */
export const MAX_LENGTH = 64 + 1 + 32;

/** A permission by its name, `datasets:read`. */
export type PermissionName = `${string}:${string}`;

/** One access level on one resource. Whether both exist is the catalog's to say. */
export interface Permission {
  readonly name: PermissionName;
  readonly resource: string;
  readonly level: string;
}

/** The text is not `resource:level`; says what is wrong with it. */
export class InvalidPermissionError extends Error {
  override readonly name = "InvalidPermissionError";
}

/** Reads `resource:level`. A third part is reserved and refused. Throws InvalidPermissionError. */
export function parsePermission(text: string): Permission {
  const [resource = "", level = "", ...more] = text.split(":");
  if (more.length === 0 && RESOURCE_NAME.test(resource) && LEVEL_NAME.test(level)) return permission(resource, level);
  const wrong = more.length === 1 ? "has three parts; a third part is reserved" : "is not a permission";
  throw new InvalidPermissionError(`${quoted(text)} ${wrong}: write resource:level, as in datasets:read.`);
}

/** The permission of two names that are known to be good. */
export function permission(resource: string, level: string): Permission {
  return { name: `${resource}:${level}`, resource, level };
}
