/**
 * Where a catalog's own permissions are made known: `scopekey catalog typescript` writes a module that
 * augments this interface, and from then on a permission that the catalog does not have does not compile.
 */
// biome-ignore lint/suspicious/noEmptyInterface: empty until a catalog's module augments it
export interface Register {}

/** A permission, `datasets:read`: any text, or only those of the catalog that was registered. */
export type Permission = Register extends { permission: infer Known extends string } ? Known : string;
