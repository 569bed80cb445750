/** Tables of the products that were added while the node ran, and of the documents that were found valid. */

export const productsSchema: readonly string[] = [
  `CREATE TABLE products (
    id TEXT PRIMARY KEY,
    settings TEXT NOT NULL,
    document TEXT NOT NULL,
    added_ms INTEGER NOT NULL
  ) STRICT`,
  `CREATE TABLE valid_documents (
    hash TEXT PRIMARY KEY,
    checked_ms INTEGER NOT NULL
  ) STRICT`,
]
