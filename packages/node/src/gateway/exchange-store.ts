/** Reads what the recorder wrote: the evidence of exchanges beside their log entries. */
import { isApiKeyLike } from '@comity/core/api-keys/api-key'
import type { EvidenceBundle } from '@comity/core/exchange/evidence-bundle'
import type { Database, Row, SqlValue } from '../storage/database.ts'
import type { SubjectVault } from '../vault/vault.ts'
import type { SeenNonce } from './nonce-store.ts'

export interface StoredExchange {
  /** Id of the log event. */
  readonly id: string
  /** Id of the exchange as the holder numbered it. */
  readonly exchangeId: string
  readonly role: 'holder' | 'recipient'
  readonly peer: string | undefined
  readonly receipt: string | undefined
  /** Without a signature where the caller came with an API key. */
  readonly request: (Omit<StoredSignature, 'signature'> & { readonly signature?: string | undefined }) | undefined
  readonly response: StoredSignature | undefined
  /** What opens the receipt's commitments to sealed contents, as evidence carries it. */
  readonly sealed?: EvidenceBundle['sealed']
  /** The person that the call was about has been erased, and with them what was signed: both signatures are undefined. */
  readonly erased: boolean
}

/** A signature that verified, with the text that it is over. `signature` is base64url. */
export interface StoredSignature {
  readonly keyid: string
  readonly base: string
  readonly signature: string
}

export interface ExchangeStore {
  /** The exchange by its own id, else by the holder's: the newest of those, since a holder may use any id, and twice. */
  find(id: string): Promise<StoredExchange | undefined>
  /** The newest exchanges with a receipt, newest first, older than `beforeId` when given. */
  listWithReceipts(limit: number, beforeId?: string): Promise<StoredExchange[]>
  /** Durable on return: a restart must not forget a signed request that leaves no exchange. */
  rememberSigned(request: SeenNonce, nowMs: number): Promise<void>
}

/** Longest time after its expiry at which a request may still be fresh (the largest skew that can be configured, and
 *  more), in seconds. */
const keepReadsSeconds = 600

const textOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined)

function signatureOf(row: Row, side: 'request' | 'response'): StoredSignature | undefined {
  const [keyid, base, signature] = [row[`${side}_keyid`], row[`${side}_base`], row[`${side}_signature`]]
  if (typeof keyid !== 'string' || typeof base !== 'string' || typeof signature !== 'string') return undefined
  return { keyid, base, signature }
}

/** What was asked by a caller with an API key, who signs nothing that a stranger could check. */
function requestOf(row: Row): StoredExchange['request'] {
  const [keyid, base] = [row['request_keyid'], row['request_base']]
  const isKeyed = typeof keyid === 'string' && isApiKeyLike(keyid) && typeof base === 'string'
  return isKeyed ? { keyid, base } : signatureOf(row, 'request')
}

type Unsealer = Pick<SubjectVault, 'unseal'>

/** The row with its signature bases in clear; undefined when the person that it is about was erased. */
async function unsealed(row: Row, vault: Unsealer): Promise<Row | undefined> {
  if (textOf(row['subject']) === undefined) return row
  const bases: Record<string, SqlValue> = {}
  for (const column of ['request_base', 'response_base', 'openings']) {
    const sealed = textOf(row[column])
    if (sealed === undefined) continue
    const base = await vault.unseal(sealed)
    if (base === undefined) return undefined
    bases[column] = base
  }
  return { ...row, ...bases }
}

function sealedOf(known: Row | undefined): Pick<StoredExchange, 'sealed'> {
  const openings = textOf(known?.['openings'])
  return openings === undefined ? {} : { sealed: JSON.parse(openings) as EvidenceBundle['sealed'] }
}

async function toExchange(row: Row, vault: Unsealer): Promise<StoredExchange> {
  const known = await unsealed(row, vault)
  return {
    id: String(row['id']),
    exchangeId: String(row['exchange_id']),
    role: row['role'] === 'holder' ? 'holder' : 'recipient',
    peer: textOf(row['peer']),
    receipt: textOf(row['receipt']),
    request: known && requestOf(known),
    response: known && signatureOf(known, 'response'),
    ...sealedOf(known),
    erased: known === undefined,
  }
}

/** The store on the node's database; `vault` reads what is kept under a person's key. */
export function createExchangeStore(database: Database, vault: Unsealer): ExchangeStore {
  return {
    async find(id) {
      const row = await database.get(
        `SELECT exchanges.*, exchange_openings.openings AS openings
          FROM exchanges LEFT JOIN exchange_openings ON exchange_openings.id = exchanges.id
          WHERE exchanges.id = ? OR exchange_id = ?
          ORDER BY CASE WHEN exchanges.id = ? THEN 0 ELSE 1 END, exchanges.id DESC LIMIT 1`,
        [id, id, id],
      )
      return row && toExchange(row, vault)
    },
    async listWithReceipts(limit, beforeId = '~') {
      const sql = 'SELECT * FROM exchanges WHERE receipt IS NOT NULL AND id < ? ORDER BY id DESC LIMIT ?'
      const rows = await database.all(sql, [beforeId, limit])
      return Promise.all(rows.map((row) => toExchange(row, vault)))
    },
    async rememberSigned({ keyid, nonce, expiresSeconds }, nowMs) {
      const oldest = Math.floor(nowMs / 1000) - keepReadsSeconds
      await database.execute([
        { sql: 'DELETE FROM signed_reads WHERE nonce_expires < ?', params: [oldest] },
        {
          sql: 'INSERT INTO signed_reads (keyid, nonce, nonce_expires) VALUES (?, ?, ?) ON CONFLICT DO NOTHING',
          params: [keyid, nonce, expiresSeconds],
        },
      ])
    },
  }
}
