/** Table of how much was called. */

/** Statements of the migration that makes it. A row for each hour (or, of old ones, day; `grain`) of UTC and each of what
 *  tells calls apart; empty texts stand for none. Nothing in it names a person. */
export const usageSchema: readonly string[] = [
  `CREATE TABLE usage_counts (
    grain TEXT NOT NULL,
    starts_ms INTEGER NOT NULL,
    side TEXT NOT NULL,
    participant TEXT NOT NULL,
    client TEXT NOT NULL,
    key_id TEXT NOT NULL,
    credential TEXT NOT NULL,
    product TEXT NOT NULL,
    operation TEXT NOT NULL,
    calls INTEGER NOT NULL,
    failed INTEGER NOT NULL,
    refused_identity INTEGER NOT NULL,
    refused_limit INTEGER NOT NULL,
    refused_agreement INTEGER NOT NULL,
    refused_consent INTEGER NOT NULL,
    refused_policy INTEGER NOT NULL,
    refused_request INTEGER NOT NULL,
    units INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    upstream_ms INTEGER NOT NULL,
    upstream_max_ms INTEGER NOT NULL,
    PRIMARY KEY (grain, starts_ms, side, participant, client, key_id, credential, product, operation)
  ) STRICT`,
  'CREATE INDEX usage_counts_by_caller ON usage_counts (side, participant, product, starts_ms)',
]
