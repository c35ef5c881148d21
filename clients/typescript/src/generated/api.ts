// Generated from spec/openapi.json by `npm run generate`. Change the server's routes instead.

export interface paths {
    "/v1/keys": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get Keys
         * @description List keys, oldest first.
         */
        get: operations["get_keys_v1_keys_get"];
        put?: never;
        /**
         * Create Key
         * @description Issue a key. Its secret is in this answer and nowhere else.
         */
        post: operations["create_key_v1_keys_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/keys/self/revoke": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Revoke Own Key
         * @description Revoke the calling key. A key may always do that.
         */
        post: operations["revoke_own_key_v1_keys_self_revoke_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/keys/{key_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get Key
         * @description Show a key: what it may do in words, when it ends, who made it.
         */
        get: operations["get_key_v1_keys__key_id__get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /**
         * Patch Key
         * @description Change a key in place; its secret stays.
         */
        patch: operations["patch_key_v1_keys__key_id__patch"];
        trace?: never;
    };
    "/v1/keys/{key_id}/rotate": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Rotate
         * @description Give a key a new secret; the old one goes on until the overlap ends.
         */
        post: operations["rotate_v1_keys__key_id__rotate_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/keys/{key_id}/revoke": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Revoke
         * @description End a key now, for good.
         */
        post: operations["revoke_v1_keys__key_id__revoke_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/keys/{key_id}/reach": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get Reach
         * @description List the operations this key can call; `without` and `with` ask what would be if.
         */
        get: operations["get_reach_v1_keys__key_id__reach_get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/keys/{key_id}/usage": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get Usage
         * @description Tell what the key was used for: each permission and each secret, by day.
         */
        get: operations["get_usage_v1_keys__key_id__usage_get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/organizations": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get Organizations
         * @description List tenants, oldest first.
         */
        get: operations["get_organizations_v1_organizations_get"];
        put?: never;
        /**
         * Post Organization
         * @description Make a tenant.
         */
        post: operations["post_organization_v1_organizations_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/organizations/{organization_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get Organization
         * @description Show a tenant.
         */
        get: operations["get_organization_v1_organizations__organization_id__get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /**
         * Patch Organization
         * @description Change a tenant. A lowered cap or a suspension reaches keys already issued.
         */
        patch: operations["patch_organization_v1_organizations__organization_id__patch"];
        trace?: never;
    };
    "/v1/whoami": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get Whoami
         * @description Tell the calling key what it is, holds and can reach, and when it ends.
         */
        get: operations["get_whoami_v1_whoami_get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/permissions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get Permissions
         * @description List the permissions there are, by resource and group.
         */
        get: operations["get_permissions_v1_permissions_get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/presets": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get Presets
         * @description List the presets: sets of permissions for a purpose.
         */
        get: operations["get_presets_v1_presets_get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/verify": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Verify
         * @description Tell whether a key may do something: 200 for every well-formed question, whatever the answer is.
         */
        post: operations["verify_v1_verify_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/changes": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Changes
         * @description Follow what changes, one JSON line for each change, held open with a heartbeat each second.
         */
        get: operations["changes_v1_changes_get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/snapshot": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Snapshot
         * @description Everything a verifier needs, as of one position.
         */
        get: operations["snapshot_v1_snapshot_get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/journal": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Post Journal
         * @description Hand in decisions, each exactly once: send a batch again until it is answered. For verifiers.
         */
        post: operations["post_journal_v1_journal_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/audit/entries": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get Entries
         * @description Search the log. A page looks at 20,000 entries at most: it may be short, or empty, and have a `next`.
         *
         *     Every organization finds its own entries, the operator all of them.
         */
        get: operations["get_entries_v1_audit_entries_get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/audit/entries/{index}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get Entry
         * @description Show an entry, with the proof that it is in the log of the newest checkpoint.
         */
        get: operations["get_entry_v1_audit_entries__index__get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/audit/export": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get Export
         * @description Give all entries that are looked for, the oldest first. CSV is exact: formulas in it are not made harmless.
         */
        get: operations["get_export_v1_audit_export_get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/audit/checkpoint": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get Checkpoint
         * @description Give the newest checkpoint: a signed note (C2SP tlog-checkpoint).
         */
        get: operations["get_checkpoint_v1_audit_checkpoint_get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/audit/key": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get Public Key
         * @description Give the log's public key, as `name+id+key` (C2SP signed-note).
         */
        get: operations["get_public_key_v1_audit_key_get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/audit/tile/{path}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get Tile
         * @description Give a hash tile, or to the operator a bundle of entries, of any width up to the present one.
         */
        get: operations["get_tile_v1_audit_tile__path__get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /**
         * CreateKey
         * @description A new key. Without an end it gets the earliest of the default lifetime, the cap and the creator's end.
         * @example {
         *       "expires_in": "90d",
         *       "name": "Dashboard",
         *       "permissions": [
         *         "datasets:read",
         *         "queries:read"
         *       ]
         *     }
         * @example {
         *       "allowed_networks": [
         *         "10.0.0.0/8"
         *       ],
         *       "name": "Nightly load",
         *       "preset": "data_ingestion"
         *     }
         */
        CreateKey: {
            /**
             * Expires In
             * @example 90d
             */
            expires_in?: string | null;
            /** Expires At */
            expires_at?: string | null;
            /**
             * Never Expires
             * @default false
             */
            never_expires?: boolean;
            /** Name */
            name: string;
            /** Permissions */
            permissions?: string[] | null;
            /** Preset */
            preset?: string | null;
            /** Environment */
            environment?: string | null;
            /**
             * Allowed Networks
             * @default []
             */
            allowed_networks?: string[];
            /**
             * Metadata
             * @default {}
             */
            metadata?: {
                [key: string]: string;
            };
            /** Organization */
            organization?: string | null;
        };
        /**
         * CreateOrganization
         * @description A new tenant.
         * @example {
         *       "name": "Acme",
         *       "policy": {
         *         "max_key_age": "90d",
         *         "never_expires": false
         *       }
         *     }
         */
        CreateOrganization: {
            /** Name */
            name: string;
            /**
             * @default {
             *       "never_expires": false
             *     }
             */
            policy?: components["schemas"]["PolicyBody"];
        };
        /**
         * DayUse
         * @description Calls of one day, in UTC.
         */
        DayUse: {
            /**
             * Day
             * Format: date
             */
            day: string;
            /** Uses */
            uses: number;
            /** Refusals */
            refusals: number;
        };
        /**
         * EditKey
         * @description What to change; what is not sent stays.
         * @example {
         *       "permissions": [
         *         "datasets:read"
         *       ]
         *     }
         * @example {
         *       "name": "Dashboard, production"
         *     }
         */
        EditKey: {
            /**
             * Expires In
             * @example 90d
             */
            expires_in?: string | null;
            /** Expires At */
            expires_at?: string | null;
            /**
             * Never Expires
             * @default false
             */
            never_expires?: boolean;
            /** Name */
            name?: string | null;
            /** Permissions */
            permissions?: string[] | null;
            /** Allowed Networks */
            allowed_networks?: string[] | null;
            /** Metadata */
            metadata?: {
                [key: string]: string;
            } | null;
        };
        /**
         * EditOrganization
         * @description What to change; what is not sent stays. A suspended organization's keys are refused.
         * @example {
         *       "policy": {
         *         "max_key_age": "30d"
         *       }
         *     }
         */
        EditOrganization: {
            /** Name */
            name?: string | null;
            policy?: components["schemas"]["PolicyBody"] | null;
            /** Suspended */
            suspended?: boolean | null;
        };
        /**
         * EntryPage
         * @description Entries, and where to go on. A page may be short, or empty, and still have a `next`.
         */
        EntryPage: {
            /** Items */
            items: components["schemas"]["LoggedEntry"][];
            /** Next */
            next?: string | null;
            /**
             * Through
             * @description All entries up to this index were looked at; -1 where the log is empty
             */
            through: number;
        };
        /**
         * IssuedKey
         * @description A key and its secret, which appears here and nowhere else; None where the call was a repeat.
         */
        IssuedKey: {
            key: components["schemas"]["KeyAnswer"];
            /** Secret */
            secret: string | null;
        };
        /**
         * JournalAnswer
         * @description Which record of the file comes next: all before it are recorded.
         */
        JournalAnswer: {
            /** Next */
            next: number;
        };
        /**
         * KeyAnswer
         * @description A key as people see it.
         */
        KeyAnswer: {
            /** Id */
            id: string;
            /** Name */
            name: string;
            /** Organization */
            organization: string;
            /** Environment */
            environment: string;
            /**
             * Status
             * @enum {string}
             */
            status: "active" | "expired" | "revoked";
            /** Permissions */
            permissions: string[];
            /**
             * Purpose
             * @description The permissions in words
             */
            purpose: string;
            /** Nearest Preset */
            nearest_preset?: string | null;
            /**
             * Created At
             * Format: date-time
             * @description RFC 3339, with its zone
             * @example 2027-02-21T09:00:00Z
             */
            created_at: string;
            created_by: components["schemas"]["WhoAnswer"];
            /**
             * Expires At
             * @description None: never
             */
            expires_at?: string | null;
            /** Allowed Networks */
            allowed_networks: string[];
            /** Metadata */
            metadata: {
                [key: string]: string;
            };
            /** Secrets */
            secrets: components["schemas"]["SecretAnswer"][];
            revocation?: components["schemas"]["Revocation"] | null;
            /**
             * Last Used
             * @description None: never, as far as the audit log has been folded
             */
            last_used?: string | null;
            /** Version */
            version: number;
            /**
             * Warnings
             * @description What the caller should know about the change just made
             * @default []
             */
            warnings?: string[];
        };
        /**
         * KeyPage
         * @description Keys, and where to go on.
         */
        KeyPage: {
            /** Items */
            items: components["schemas"]["KeyAnswer"][];
            /** Next */
            next?: string | null;
        };
        /**
         * LoggedEntry
         * @description An entry of the log.
         */
        LoggedEntry: {
            /**
             * Index
             * @description The entry's place in the log, from 0
             */
            index: number;
            /**
             * Hash
             * @description SHA-256 over a zero byte and `body` in UTF-8 (RFC 9162 section 2.1.1), hexadecimal
             */
            hash: string;
            /**
             * At
             * Format: date-time
             * @description RFC 3339, with its zone
             * @example 2027-02-21T09:00:00Z
             */
            at: string;
            /**
             * Entry
             * @description What the entry says, by the names of spec/entry.md
             */
            entry: {
                [key: string]: unknown;
            };
            /**
             * Body
             * @description The same as its canonical text, which is what was hashed
             */
            body: string;
        };
        /**
         * OrganizationAnswer
         * @description A tenant.
         */
        OrganizationAnswer: {
            /** Id */
            id: string;
            /** Name */
            name: string;
            /** Operator */
            operator: boolean;
            /** Suspended */
            suspended: boolean;
            policy: components["schemas"]["PolicyAnswer"];
            /** Version */
            version: number;
        };
        /**
         * OrganizationPage
         * @description Tenants, and where to go on.
         */
        OrganizationPage: {
            /** Items */
            items: components["schemas"]["OrganizationAnswer"][];
            /** Next */
            next?: string | null;
        };
        /**
         * PermissionAnswer
         * @description One permission of the catalog.
         */
        PermissionAnswer: {
            /** Name */
            name: string;
            /** Title */
            title: string;
            /** Level */
            level: string;
            /** Observes */
            observes: boolean;
            /**
             * Implies
             * @description What it brings along
             * @default []
             */
            implies?: string[];
            /**
             * Opens
             * @description The operations it has a part in opening
             * @default []
             */
            opens?: string[];
        };
        /**
         * PermissionUse
         * @description What one permission of a key was used for.
         */
        PermissionUse: {
            /** Permission */
            permission: string;
            /**
             * Held
             * @description Whether the key holds it now, by its own name
             */
            held: boolean;
            /**
             * Implied By
             * @description What the key holds that brings it along
             * @default []
             */
            implied_by?: string[];
            /** Granted At */
            granted_at?: string | null;
            /** Uses */
            uses: number;
            /** First Used */
            first_used?: string | null;
            /**
             * Last Used
             * @description None: never
             */
            last_used?: string | null;
            /**
             * Refusals
             * @description Calls that were refused for want of it
             */
            refusals: number;
            /** Last Refused */
            last_refused?: string | null;
            /** Days */
            days: components["schemas"]["DayUse"][];
            /** Secrets */
            secrets: components["schemas"]["SecretShare"][];
        };
        /**
         * PermissionsAnswer
         * @description The catalog, as the permissions reference.
         */
        PermissionsAnswer: {
            /** Catalog */
            catalog: string;
            /** Levels */
            levels: string[];
            /** Resources */
            resources: components["schemas"]["ResourceAnswer"][];
            /**
             * Public
             * @description The operations that need no key
             * @default []
             */
            public?: string[];
            /**
             * Any Key
             * @description The operations that any live key opens
             * @default []
             */
            any_key?: string[];
        };
        /**
         * PolicyAnswer
         * @description An organization's policy.
         */
        PolicyAnswer: {
            /** Max Key Age */
            max_key_age: string | null;
            /** Never Expires */
            never_expires: boolean;
        };
        /**
         * PolicyBody
         * @description What an organization's keys may be; a lowered cap reaches keys already issued.
         */
        PolicyBody: {
            /**
             * Max Key Age
             * @example 90d
             */
            max_key_age?: string | null;
            /**
             * Never Expires
             * @default false
             */
            never_expires?: boolean;
        };
        /**
         * PresetAnswer
         * @description A named set of permissions for a purpose.
         */
        PresetAnswer: {
            /** Name */
            name: string;
            /** Title */
            title: string;
            /** Permissions */
            permissions: string[];
        };
        /**
         * PresetsAnswer
         * @description The catalog's presets.
         */
        PresetsAnswer: {
            /** Items */
            items: components["schemas"]["PresetAnswer"][];
        };
        /**
         * ProvenEntry
         * @description An entry with the proof that it is in the log.
         */
        ProvenEntry: {
            /**
             * Index
             * @description The entry's place in the log, from 0
             */
            index: number;
            /**
             * Hash
             * @description SHA-256 over a zero byte and `body` in UTF-8 (RFC 9162 section 2.1.1), hexadecimal
             */
            hash: string;
            /**
             * At
             * Format: date-time
             * @description RFC 3339, with its zone
             * @example 2027-02-21T09:00:00Z
             */
            at: string;
            /**
             * Entry
             * @description What the entry says, by the names of spec/entry.md
             */
            entry: {
                [key: string]: unknown;
            };
            /**
             * Body
             * @description The same as its canonical text, which is what was hashed
             */
            body: string;
            /**
             * Proof
             * @description The document that `scopekey audit verify-proof` takes
             */
            proof: {
                [key: string]: unknown;
            };
        };
        /**
         * ReachAnswer
         * @description The operations a grant opens, and how many it does not.
         */
        ReachAnswer: {
            /** Permissions */
            permissions: string[];
            /** Open */
            open: string[];
            /** Public */
            public: string[];
            /** Closed Count */
            closed_count: number;
        };
        /**
         * ResourceAnswer
         * @description One resource and its permissions.
         */
        ResourceAnswer: {
            /** Name */
            name: string;
            /** Title */
            title: string;
            /** Group */
            group: string;
            /** Covers */
            covers: string;
            /** Permissions */
            permissions: components["schemas"]["PermissionAnswer"][];
        };
        /**
         * Revocation
         * @description That a key was revoked, when and why.
         */
        Revocation: {
            /**
             * At
             * Format: date-time
             * @description RFC 3339, with its zone
             * @example 2027-02-21T09:00:00Z
             */
            at: string;
            /** Reason */
            reason: string;
            /** Comment */
            comment?: string | null;
        };
        /**
         * RevokeKey
         * @description Why a key ends, for those who look later.
         * @example {
         *       "reason": "superseded"
         *     }
         */
        RevokeKey: {
            /**
             * Reason
             * @enum {string}
             */
            reason: "compromised" | "superseded" | "unused" | "other";
            /** Comment */
            comment?: string | null;
        };
        /**
         * RotateKey
         * @description How long the old secret goes on, and which one to replace where two are live already.
         * @example {
         *       "overlap": "24h"
         *     }
         */
        RotateKey: {
            /**
             * Overlap
             * @default 24h
             */
            overlap?: string;
            /** Replace */
            replace?: ("old" | "new") | null;
        };
        /**
         * SecretAnswer
         * @description A secret of a key, without the secret.
         */
        SecretAnswer: {
            /** Number */
            number: number;
            /**
             * Created At
             * Format: date-time
             * @description RFC 3339, with its zone
             * @example 2027-02-21T09:00:00Z
             */
            created_at: string;
            /** Until */
            until?: string | null;
        };
        /**
         * SecretShare
         * @description What one secret of a key used a permission for.
         */
        SecretShare: {
            /** Number */
            number: number;
            /** Uses */
            uses: number;
            /** Last Used */
            last_used?: string | null;
        };
        /**
         * SecretUse
         * @description When one secret of a key was used.
         */
        SecretUse: {
            /** Number */
            number: number;
            /**
             * Created At
             * @description None: it is gone, and only its use is known
             */
            created_at?: string | null;
            /**
             * Until
             * @description When it ends, or ended; None: with the key
             */
            until?: string | null;
            /**
             * Live
             * @description Whether it still works
             */
            live: boolean;
            /** Uses */
            uses: number;
            /** First Used */
            first_used?: string | null;
            /**
             * Last Used
             * @description None: never
             */
            last_used?: string | null;
        };
        /**
         * UsageAnswer
         * @description What a key and each of its permissions were used for, as far as the log has been folded.
         */
        UsageAnswer: {
            /** Key */
            key: string;
            /**
             * Through
             * @description When the newest entry that is counted here was sealed
             */
            through?: string | null;
            /** Uses */
            uses: number;
            /** First Used */
            first_used?: string | null;
            /**
             * Last Used
             * @description None: never
             */
            last_used?: string | null;
            /** Refusals */
            refusals: number;
            /** Last Refused */
            last_refused?: string | null;
            /** Days */
            days: components["schemas"]["DayUse"][];
            /** Secrets */
            secrets: components["schemas"]["SecretUse"][];
            /**
             * Unused
             * @description What it holds and never used, neither itself nor through what it implies
             */
            unused: string[];
            /**
             * Permissions
             * @description Those it holds, and those it used or lacked before
             */
            permissions: components["schemas"]["PermissionUse"][];
        };
        /**
         * Verify
         * @description A question about another key: does it hold these permissions, or may it call this operation.
         * @example {
         *       "key": "sck_live_…",
         *       "permissions": [
         *         "datasets:read"
         *       ]
         *     }
         */
        Verify: {
            /** Key */
            key: string;
            /** Permissions */
            permissions?: string[] | null;
            /**
             * Operation
             * @example GET /datasets/42
             */
            operation?: string | null;
            /** Address */
            address?: string | null;
        };
        /**
         * VerifyAnswer
         * @description The answer to a question about a key. To another organization's key everything else is withheld.
         */
        VerifyAnswer: {
            /** Allowed */
            allowed: boolean;
            /** Code */
            code?: string | null;
            /** Key Id */
            key_id?: string | null;
            /** Organization */
            organization?: string | null;
            /** Environment */
            environment?: string | null;
            /**
             * Permissions
             * @default []
             */
            permissions?: string[];
            /**
             * Missing
             * @default []
             */
            missing?: string[];
            /** Expires At */
            expires_at?: string | null;
            /** Position */
            position: number;
            /**
             * Age
             * @description How far behind the answer may be, in milliseconds; null: not known
             */
            age?: number | null;
            /** Stale */
            stale: boolean;
        };
        /**
         * WhoAnswer
         * @description Who acted.
         */
        WhoAnswer: {
            /**
             * Kind
             * @enum {string}
             */
            kind: "key" | "person" | "machine" | "system";
            /** Id */
            id: string;
        };
        /**
         * WhoamiAnswer
         * @description What the calling key is, holds and can reach.
         */
        WhoamiAnswer: {
            key: components["schemas"]["KeyAnswer"];
            /** Organization */
            organization: string;
            reach: components["schemas"]["ReachAnswer"];
        };
        Problem: {
            /** Format: uri */
            type: string;
            title: string;
            status: number;
            detail: string;
            /** @enum {string} */
            code: "address_not_allowed" | "ambiguous_credential" | "conflict" | "exceeds_caller" | "expired_key" | "invalid_request" | "journal_unavailable" | "malformed_key" | "method_not_allowed" | "missing_permission" | "no_credential" | "not_found" | "rate_limited" | "revoked_key" | "rotation_in_progress" | "snapshot_needed" | "stale_replica" | "too_large" | "unavailable" | "unknown_key" | "unknown_permission" | "unlisted_operation" | "unreadable_target" | "untrusted_proxy" | "version_conflict";
            request_id: string;
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    get_keys_v1_keys_get: {
        parameters: {
            query?: {
                organization?: string | null;
                status?: ("active" | "expired" | "revoked") | null;
                permission?: string | null;
                text?: string | null;
                expiring_within?: string | null;
                unused_since?: string | null;
                limit?: number;
                cursor?: string | null;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["KeyPage"];
                };
            };
        };
    };
    create_key_v1_keys_post: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes a repeat safe for a day */
                "idempotency-key"?: string | null;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CreateKey"];
            };
        };
        responses: {
            /** @description A repeat: the same key, without its secret */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["IssuedKey"];
                };
            };
            /** @description Successful Response */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["IssuedKey"];
                };
            };
        };
    };
    revoke_own_key_v1_keys_self_revoke_post: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RevokeKey"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["KeyAnswer"];
                };
            };
        };
    };
    get_key_v1_keys__key_id__get: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                key_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["KeyAnswer"];
                };
            };
        };
    };
    patch_key_v1_keys__key_id__patch: {
        parameters: {
            query?: never;
            header?: {
                /** @description The version that was read, as `ETag` gave it */
                "if-match"?: string | null;
            };
            path: {
                key_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["EditKey"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["KeyAnswer"];
                };
            };
        };
    };
    rotate_v1_keys__key_id__rotate_post: {
        parameters: {
            query?: never;
            header?: {
                /** @description The version that was read, as `ETag` gave it */
                "if-match"?: string | null;
                /** @description Makes a repeat safe for a day */
                "idempotency-key"?: string | null;
            };
            path: {
                key_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RotateKey"];
            };
        };
        responses: {
            /** @description A repeat: the same key, without its secret */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["IssuedKey"];
                };
            };
            /** @description Successful Response */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["IssuedKey"];
                };
            };
        };
    };
    revoke_v1_keys__key_id__revoke_post: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                key_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RevokeKey"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["KeyAnswer"];
                };
            };
        };
    };
    get_reach_v1_keys__key_id__reach_get: {
        parameters: {
            query?: {
                without?: string[];
                with?: string[];
            };
            header?: never;
            path: {
                key_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ReachAnswer"];
                };
            };
        };
    };
    get_usage_v1_keys__key_id__usage_get: {
        parameters: {
            query?: {
                /** @description How many days are counted apart */
                days?: number;
            };
            header?: never;
            path: {
                key_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["UsageAnswer"];
                };
            };
        };
    };
    get_organizations_v1_organizations_get: {
        parameters: {
            query?: {
                limit?: number;
                cursor?: string | null;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OrganizationPage"];
                };
            };
        };
    };
    post_organization_v1_organizations_post: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CreateOrganization"];
            };
        };
        responses: {
            /** @description Successful Response */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OrganizationAnswer"];
                };
            };
        };
    };
    get_organization_v1_organizations__organization_id__get: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                organization_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OrganizationAnswer"];
                };
            };
        };
    };
    patch_organization_v1_organizations__organization_id__patch: {
        parameters: {
            query?: never;
            header?: {
                /** @description The version that was read, as `ETag` gave it */
                "if-match"?: string | null;
            };
            path: {
                organization_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["EditOrganization"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OrganizationAnswer"];
                };
            };
        };
    };
    get_whoami_v1_whoami_get: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WhoamiAnswer"];
                };
            };
        };
    };
    get_permissions_v1_permissions_get: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PermissionsAnswer"];
                };
            };
        };
    };
    get_presets_v1_presets_get: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PresetsAnswer"];
                };
            };
        };
    };
    verify_v1_verify_post: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Verify"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["VerifyAnswer"];
                };
            };
        };
    };
    changes_v1_changes_get: {
        parameters: {
            query: {
                /** @description The position to follow from */
                after: number;
                /** @description The mark of that position */
                mark: string;
                /** @description The feed that the position belongs to */
                feed?: string | null;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/jsonl": string;
                };
            };
        };
    };
    snapshot_v1_snapshot_get: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/jsonl": string;
                };
            };
        };
    };
    post_journal_v1_journal_post: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @enum {unknown} */
                    format: 1;
                    node: string;
                    file: string;
                    offset: number;
                    lost: number;
                    durable: boolean;
                    operations: [
                        string | null,
                        string[][] | null,
                        string[][] | null,
                        boolean
                    ][];
                    grants: string[][];
                    decisions: [
                        number,
                        number,
                        string | null,
                        string | null,
                        number | null,
                        number | null,
                        number | ("address_not_allowed" | "ambiguous_credential" | "expired_key" | "journal_unavailable" | "malformed_key" | "missing_permission" | "no_credential" | "revoked_key" | "stale_replica" | "unknown_key" | "unlisted_operation" | "unreadable_target"),
                        string[] | null,
                        string | null,
                        string | null,
                        string | null,
                        number,
                        number,
                        boolean
                    ][];
                    refusals: [
                        number,
                        "address_not_allowed" | "ambiguous_credential" | "expired_key" | "journal_unavailable" | "malformed_key" | "missing_permission" | "no_credential" | "revoked_key" | "stale_replica" | "unknown_key" | "unlisted_operation" | "unreadable_target",
                        string,
                        number
                    ][];
                    /** @default 0 */
                    cut?: number;
                };
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JournalAnswer"];
                };
            };
        };
    };
    get_entries_v1_audit_entries_get: {
        parameters: {
            query?: {
                order?: "newest" | "oldest";
                /** @description Leaves out this entry and all before it */
                after?: number | null;
                limit?: number;
                cursor?: string | null;
                /** @description Of one organization (operator only) */
                organization?: string | null;
                /** @description About this key */
                key?: string | null;
                /** @description Where this permission was required, used or missing */
                permission?: string | null;
                /** @description What was intended: an access level, a resource group, or both */
                category?: string | null;
                /** @description allowed, refused, reported, or the code of a refusal */
                decision?: string | null;
                kind?: ("change" | "decision" | "refusals" | "reads" | "gap") | null;
                /** @description Of a change */
                action?: string | null;
                operation?: string | null;
                request_id?: string | null;
                /** @description The id of who acted */
                actor?: string | null;
                /** @description The first moment that counts */
                since?: string | null;
                /** @description The first moment that no longer counts */
                until?: string | null;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EntryPage"];
                };
            };
        };
    };
    get_entry_v1_audit_entries__index__get: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The entry's place in the log, from 0 */
                index: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProvenEntry"];
                };
            };
        };
    };
    get_export_v1_audit_export_get: {
        parameters: {
            query?: {
                format?: "jsonl" | "csv";
                /** @description Leaves out this entry and all before it */
                after?: number | null;
                /** @description Of one organization (operator only) */
                organization?: string | null;
                /** @description About this key */
                key?: string | null;
                /** @description Where this permission was required, used or missing */
                permission?: string | null;
                /** @description What was intended: an access level, a resource group, or both */
                category?: string | null;
                /** @description allowed, refused, reported, or the code of a refusal */
                decision?: string | null;
                kind?: ("change" | "decision" | "refusals" | "reads" | "gap") | null;
                /** @description Of a change */
                action?: string | null;
                operation?: string | null;
                request_id?: string | null;
                /** @description The id of who acted */
                actor?: string | null;
                /** @description The first moment that counts */
                since?: string | null;
                /** @description The first moment that no longer counts */
                until?: string | null;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Entries */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/jsonl": string;
                    "text/csv": string;
                };
            };
        };
    };
    get_checkpoint_v1_audit_checkpoint_get: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/plain": string;
                };
            };
        };
    };
    get_public_key_v1_audit_key_get: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/plain": string;
                };
            };
        };
    };
    get_tile_v1_audit_tile__path__get: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description As in C2SP tlog-tiles */
                path: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Hashes, or entries with their lengths */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/octet-stream": string;
                };
            };
        };
    };
}
