/** Tables of the partners that were added while the node runs, and of the TLS keys that partners' documents named. */
export const partnersSchema: readonly string[] = [
  `CREATE TABLE partners (
    did TEXT PRIMARY KEY,
    alias TEXT NOT NULL UNIQUE,
    url TEXT NOT NULL,
    tls_fingerprints TEXT NOT NULL,
    require_client_certificate INTEGER NOT NULL,
    added_at_ms INTEGER NOT NULL
  ) STRICT`,
  // No reference to partners: those of the configuration have rows here too.
  `CREATE TABLE partner_tls_keys (
    did TEXT PRIMARY KEY,
    agreed_fingerprints TEXT NOT NULL,
    named_fingerprints TEXT NOT NULL,
    learned_at_ms INTEGER NOT NULL
  ) STRICT`,
]

/** What people are told of a partner that asks for their data: its name, and where it takes what it receives. */
export const partnerCountrySchema: readonly string[] = [
  'ALTER TABLE partners ADD COLUMN country TEXT',
  'ALTER TABLE partners ADD COLUMN name TEXT',
]

/** What is demanded of the contents exchanged with a partner, as JSON. */
export const partnerSealingMigrations: readonly string[] = ['ALTER TABLE partners ADD COLUMN sealing TEXT']
