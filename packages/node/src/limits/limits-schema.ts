/** Table of what is used of quotas. */

/** Statements of the migration that makes the table. A row for each key of each quota and period; `limit_key` names
 *  participants, products and operations, never a person or an address: of those a keyed hash. */
export const limitsSchema: readonly string[] = [
  `CREATE TABLE limit_quotas (
    limit_name TEXT NOT NULL,
    per TEXT NOT NULL,
    limit_key TEXT NOT NULL,
    starts_ms INTEGER NOT NULL,
    used INTEGER NOT NULL,
    PRIMARY KEY (limit_name, per, limit_key, starts_ms)
  ) STRICT`,
]
