/** The status lists of this node (draft-ietf-oauth-status-list-21): what others look at to see whether a token of this
 *  node still counts. The truth is in the database; a list shows a change from the moment its transaction is done. */
import { deflateSync } from 'node:zlib'
import type { SigningKey } from '@comity/core/crypto/crypto'
import type { Clock, RandomBytes } from '@comity/core/ports'
import { Problem } from '@comity/core/problems'
import {
  createStatusList,
  encodeStatusList,
  setStatus,
  statusValues,
  type StatusList,
  type StatusName,
} from '@comity/core/status-list/status-list'
import { signStatusList } from '@comity/core/status-list/status-list-token'
import type { Statement } from '../storage/database.ts'
import { createStatusAllocation, listEntries } from './status-allocation.ts'
import type { StatusStore } from './status-store.ts'

/** Place of a token's status: `status.status_list` of the token. */
export interface StatusEntry {
  readonly uri: string
  readonly idx: number
}

export interface StatusListsParts {
  readonly store: StatusStore
  /** Public address of the node, without a final slash. */
  readonly baseUrl: () => string
  readonly assertionKey: () => { readonly keyid: string; readonly key: SigningKey }
  readonly clock: Clock
  readonly randomBytes: RandomBytes
}

export interface StatusLists {
  /** A fresh entry with status `valid`; it counts once the statement is durable. */
  allocate(): Promise<{ readonly entry: StatusEntry; readonly statement: Statement }>
  /** Changes a status, in the transaction of what it tells. `invalid` is for good. */
  set(entry: StatusEntry, status: StatusName): Statement
  /** The signed list of that number, or undefined when there is none. */
  token(list: number): Promise<string | undefined>
}

/** For how long others may use a copy. */
const ttlSeconds = 30
const lifeSeconds = 600
/** A token that nothing changed in is signed again when it is this old. */
const renewAfterSeconds = 240

/** The lists of this node; reads the database when it is first used. */
export function createStatusLists(parts: StatusListsParts): StatusLists {
  const { store, baseUrl } = parts
  const allocation = createStatusAllocation(parts)
  const published = new Map<number, PublishedList>()
  return {
    async allocate() {
      const { list, index } = await allocation.next()
      const entry = { uri: `${baseUrl()}/status/${list}`, idx: index }
      return { entry, statement: store.insertEntry(list, index) }
    },
    set: ({ uri, idx }, status) =>
      store.updateEntry({ list: listOf(uri), index: idx }, statusValues[status], statusValues.invalid),
    async token(list) {
      let known = published.get(list)
      if (known === undefined) {
        if (!(await store.hasList(list))) return undefined
        known = published.get(list) ?? { statuses: createStatusList(2, listEntries), change: 0, signed: undefined }
        published.set(list, known)
      }
      await catchUp(known, list, store)
      return signedToken(known, list, parts)
    },
  }
}

interface PublishedList {
  readonly statuses: StatusList
  /** The last change that is in `statuses`. */
  change: number
  signed: { readonly token: string; readonly change: number; readonly keyid: string; readonly iat: number } | undefined
}

// Of two that read at once the slower may come with less; what is in the list already is not taken back.
async function catchUp(known: PublishedList, list: number, store: StatusStore): Promise<void> {
  for (const { index, value, change } of await store.changesAfter(list, known.change)) {
    if (change <= known.change) continue
    setStatus(known.statuses, index, value)
    known.change = change
  }
}

function signedToken(known: PublishedList, list: number, { baseUrl, assertionKey, clock }: StatusListsParts): string {
  const { keyid, key } = assertionKey()
  const iat = Math.floor(clock.now() / 1000)
  const { signed } = known
  const age = signed === undefined ? Number.POSITIVE_INFINITY : iat - signed.iat
  if (signed?.change === known.change && signed.keyid === keyid && age >= 0 && age < renewAfterSeconds) {
    return signed.token
  }
  const status_list = encodeStatusList(known.statuses, (bytes) => deflateSync(bytes, { level: 9 }))
  const claims = { sub: `${baseUrl()}/status/${list}`, iat, exp: iat + lifeSeconds, ttl: ttlSeconds, status_list }
  const token = signStatusList(claims, { keyid, key })
  known.signed = { token, change: known.change, keyid, iat }
  return token
}

/** The number of a list of this node by its address. The node may have had another name when it gave the entry. */
function listOf(uri: string): number {
  const list = Number(/\/status\/([1-9]\d{0,8})$/.exec(uri)?.[1])
  if (Number.isNaN(list)) throw new Problem('status-list-invalid', `\`${uri}\` is not a status list of this node`)
  return list
}
