/** Table of the released answers: who has read under which consent, and by that how often a consent may still be used. */

/** Statements of the migration that makes the table, in order.
 *
 *  A row for each released answer, grant that gave of it, and link of the chain it was asked with: `link` is empty for
 *  the consent itself, `<DID of the delegator> <delegation>` for each delegation. `via` is a JSON list of DIDs. */
export const consentUsesMigrations: readonly string[] = [
  `CREATE TABLE consent_uses (
    consent TEXT NOT NULL,
    grant_id TEXT NOT NULL,
    link TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    exchange TEXT NOT NULL,
    caller TEXT NOT NULL,
    via TEXT NOT NULL,
    PRIMARY KEY (consent, grant_id, link, at_ms, exchange)
  ) STRICT`,
  'CREATE INDEX consent_uses_by_exchange ON consent_uses (consent, exchange)',
]
