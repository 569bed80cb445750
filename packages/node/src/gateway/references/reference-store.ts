/** References: a link in the place of an answer. Whoever was promised the answer resolves it once, soon, by a call that
 *  passes every check anew. */
import type { Database, Row, Statement } from '../../storage/database.ts'
import type { SubjectKey, SubjectVault } from '../../vault/vault.ts'

/** What was asked and is asked again when the reference is resolved. */
export interface ReferredRequest {
  readonly method: string
  /** Normalised, below the product, at least `/`. */
  readonly path: string
  /** `?…`; `?` when there is none. */
  readonly query: string
}

/** A reference as it is made. */
export interface NewReference {
  /** SHA-256 of the link's secret, base64url. */
  readonly id: string
  /** DID to whom alone it is of use. */
  readonly caller: string
  readonly product: string
  readonly request: ReferredRequest
  /** Under whose key the request is kept; undefined when it is about nobody. */
  readonly subject: SubjectKey | undefined
  /** Exchange in which it was promised. */
  readonly issuedBy: string
  readonly expiresMs: number
}

/** A reference that may be resolved. */
export type OpenReference = Pick<NewReference, 'id' | 'caller' | 'product' | 'request' | 'issuedBy' | 'expiresMs'>

export interface ReferenceStore {
  insert(reference: NewReference): Statement
  /** Undefined for one that does not exist, was used, has expired, or is about an erased person. */
  find(id: string, nowMs: number): Promise<OpenReference | undefined>
  /** Marks it as used by an exchange. In one transaction with that exchange's outcome, which fails when the reference was
   *  used before. */
  use(id: string, exchange: string): Statement
  /** Drops what expired before. */
  prune(expiredBeforeMs: number): Statement
}

const insertSql = `INSERT INTO answer_references
  (id, caller, product, request, subject, issued_by, expires_ms, used_by) VALUES (?, ?, ?, ?, ?, ?, ?, '')`
const findSql = `SELECT id, caller, product, request, subject, issued_by, expires_ms FROM answer_references
  WHERE id = ? AND used_by = '' AND expires_ms > ?`
// No user is NULL: the column refuses it.
const useSql = `UPDATE answer_references SET used_by = CASE WHEN used_by = '' THEN ? ELSE NULL END WHERE id = ?`

interface ReferenceRow extends Row {
  readonly id: string
  readonly caller: string
  readonly product: string
  readonly request: string
  readonly subject: string | null
  readonly issued_by: string
  readonly expires_ms: number
}

/** The store on the node's database; `vault` reads what is kept under a person's key. */
export function createReferenceStore(database: Database, vault: Pick<SubjectVault, 'unseal'>): ReferenceStore {
  return {
    insert: ({ id, caller, product, request, subject, issuedBy, expiresMs }) => {
      const text = JSON.stringify(request)
      const params = [id, caller, product, subject?.seal(text) ?? text, subject?.handle ?? null, issuedBy, expiresMs]
      return { sql: insertSql, params }
    },
    async find(id, nowMs) {
      const row = await database.get<ReferenceRow>(findSql, [id, nowMs])
      if (row === undefined) return undefined
      const request = row.subject === null ? row.request : await vault.unseal(row.request)
      if (request === undefined) return undefined
      const { caller, product, issued_by: issuedBy, expires_ms: expiresMs } = row
      return { id, caller, product, request: JSON.parse(request) as ReferredRequest, issuedBy, expiresMs }
    },
    use: (id, exchange) => ({ sql: useSql, params: [exchange, id] }),
    prune: (expiredBeforeMs) => ({
      sql: 'DELETE FROM answer_references WHERE expires_ms < ?',
      params: [expiredBeforeMs],
    }),
  }
}
