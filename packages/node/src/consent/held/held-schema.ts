/** Tables of the recipient's side. `held_consents` holds the consents that this node was given or has asked for, one
 *  row for each and for each delegation to it; `delegations` what it passed on; `consent_templates` what it signed to
 *  ask with. `subject` and `label` are handles of the vault, `sealed` is under the person's key. */

/** Statements of the migration that makes the tables, in order. */
export const heldConsentsMigrations: readonly string[] = [
  `CREATE TABLE held_consents (
    id TEXT PRIMARY KEY,
    consent TEXT NOT NULL,
    holder TEXT NOT NULL,
    source TEXT NOT NULL,
    delegation TEXT,
    subject TEXT,
    label TEXT,
    state TEXT NOT NULL,
    rev INTEGER NOT NULL,
    hash TEXT,
    seq INTEGER NOT NULL,
    source_seq INTEGER NOT NULL,
    expires_ms INTEGER,
    lapses_ms INTEGER,
    created_ms INTEGER NOT NULL,
    changed_ms INTEGER NOT NULL,
    checked_ms INTEGER NOT NULL,
    read_rev INTEGER NOT NULL,
    sealed TEXT NOT NULL
  ) STRICT`,
  'CREATE INDEX held_consents_by_consent ON held_consents (consent)',
  'CREATE INDEX held_consents_by_subject ON held_consents (subject, holder)',
  'CREATE INDEX held_consents_by_label ON held_consents (label)',
  'CREATE INDEX held_consents_by_state ON held_consents (state, checked_ms)',
  `CREATE TABLE delegations (
    id TEXT PRIMARY KEY,
    held TEXT NOT NULL,
    consent TEXT NOT NULL,
    delegate TEXT NOT NULL,
    sealed TEXT NOT NULL,
    until_ms INTEGER NOT NULL,
    created_ms INTEGER NOT NULL,
    ended_ms INTEGER
  ) STRICT`,
  'CREATE INDEX delegations_by_held ON delegations (held)',
  'CREATE INDEX delegations_by_delegate ON delegations (consent, delegate)',
  `CREATE TABLE consent_templates (
    id TEXT NOT NULL,
    version TEXT NOT NULL,
    hash TEXT NOT NULL,
    jws TEXT NOT NULL,
    signed_ms INTEGER NOT NULL,
    PRIMARY KEY (id, version)
  ) STRICT`,
]

/** Why a delegation ended. */
export const delegationEndSchema: readonly string[] = ['ALTER TABLE delegations ADD COLUMN ended_by TEXT']
