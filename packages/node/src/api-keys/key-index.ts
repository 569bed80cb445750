/** The keys in memory, so that a call waits for nothing. INVARIANT: what is here is durable, but for `isCutOff`,
 *  `revoking` and `removing`. */
import type { KeyRotation } from '@comity/core/api-keys/key-rotation'
import { isRunning } from '@comity/core/api-keys/key-rotation'
import { utf8Bytes } from '@comity/core/bytes/utf8'
import { Problem } from '@comity/core/problems'
import { isLive, type ApiKeyRecord, type ChangedBy } from './api-key-record.ts'
import type { ApiKeyStore, Succession } from './api-key-store.ts'
import type { Client } from './client.ts'
import type { KeyHashes } from './key-hashes.ts'
import { addressCheck } from './key-networks.ts'

/** A key that ended so long ago is told from one that never was no more. */
const rememberEndedMs = 90 * 86_400_000

/** One key, ready to be judged. */
export interface KeyEntry {
  key: ApiKeyRecord
  /** The keyed hash that the presented secret must have. */
  readonly hash: Uint8Array
  /** Id of the first key of its line: the one that was not made to succeed another. */
  readonly line: string
  /** Of an hmac key: the bytes of its secret. */
  readonly macKey: Uint8Array | undefined
  allowsAddress: (address: string) => boolean
  /** The running rotation whose old key it is, and the one whose successor it is. */
  leaves: KeyRotation | undefined
  joins: KeyRotation | undefined
  /** True from the moment it is revoked, before that is durable. */
  isCutOff: boolean
}

/** That a key is revoked, by whom and why. */
export interface Revocation {
  readonly by: ChangedBy
  readonly reason?: string | undefined
  /** Whether keys that were claimed with it go on; they end with it unless told. */
  readonly keepClaimed?: boolean | undefined
}

/** What has changed, durably. */
export interface Written {
  readonly clients?: readonly Client[] | undefined
  readonly keys?: readonly ApiKeyRecord[] | undefined
  readonly rotations?: readonly KeyRotation[] | undefined
}

export class KeyIndex {
  readonly clients = new Map<string, Client>()
  readonly keys = new Map<string, KeyEntry>()
  /** Those that run. */
  readonly rotations = new Map<string, KeyRotation>()
  /** Revocations that count and are not written yet, by the id of the key. */
  readonly revoking = new Map<string, Revocation>()
  /** Ids of clients whose keys are refused and whose removal is not written yet. */
  readonly removing = new Set<string>()
  /** By id, every key that was ever made to succeed another. */
  readonly #successions: Map<string, Succession>
  readonly #hashes: KeyHashes

  constructor(hashes: KeyHashes, successions: Map<string, Succession>) {
    this.#hashes = hashes
    this.#successions = successions
  }

  apply({ clients = [], keys = [], rotations = [] }: Written): void {
    for (const client of clients) this.clients.set(client.id, client)
    for (const key of keys) this.#put(key)
    for (const rotation of rotations) this.#relate(rotation)
  }

  /** Keys of a client, of those in memory. */
  keysOf(client: string): KeyEntry[] {
    return [...this.keys.values()].filter(({ key }) => key.client === client)
  }

  /** Those that may work again and were claimed with the key, or with one that was, and so on. */
  claimedWith(id: string): KeyEntry[] {
    return [...this.keys.values()].filter(({ key }) => isLive(key) && this.#isClaimedWith(key.id, id))
  }

  #isClaimedWith(claimed: string, id: string): boolean {
    let old = this.#successions.get(claimed)
    while (old?.isClaimed === true && old.succeeds !== id) old = this.#successions.get(old.succeeds)
    return old?.isClaimed === true
  }

  /** Takes it back that keys are refused, but for those that a revocation or removal counts for which is not written. */
  giveBack(entries: readonly KeyEntry[]): void {
    for (const entry of entries) entry.isCutOff = this.#isToEnd(entry)
  }

  #isToEnd({ key }: KeyEntry): boolean {
    if (this.removing.has(key.client)) return true
    return [...this.revoking].some(
      ([id, { keepClaimed }]) => id === key.id || (keepClaimed !== true && this.#isClaimedWith(key.id, id)),
    )
  }

  /** Id of the first key of the line that a key is of: its own where it succeeds none. */
  lineOf(id: string): string {
    let first = id
    for (let old = this.#successions.get(id); old !== undefined; old = this.#successions.get(first))
      first = old.succeeds
    return first
  }

  /** Drops what ended long ago, and gives the ids. */
  forget(nowMs: number): readonly string[] {
    const forgotten: string[] = []
    for (const [id, { key }] of this.keys) {
      if (key.endedMs !== undefined && key.endedMs < nowMs - rememberEndedMs) forgotten.push(id)
    }
    for (const id of forgotten) this.keys.delete(id)
    return forgotten
  }

  #put(key: ApiKeyRecord): void {
    const { id, succeeds, issuedBy } = key
    if (succeeds !== undefined) this.#successions.set(id, { succeeds, isClaimed: issuedBy === 'client' })
    const known = this.keys.get(key.id)
    if (known === undefined) {
      this.keys.set(key.id, this.#entryOf(key))
      return
    }
    if (known.key.networks !== key.networks) known.allowsAddress = addressCheck(key.networks)
    known.key = key
  }

  #entryOf(key: ApiKeyRecord): KeyEntry {
    const secret = key.use === 'hmac' ? this.#hashes.deriveSecret(key, key.verifier) : undefined
    return {
      key,
      line: this.lineOf(key.id),
      hash: secret === undefined ? key.verifier : this.#hashes.hashOf({ ...key, secret }),
      macKey: secret === undefined ? undefined : utf8Bytes(secret),
      allowsAddress: addressCheck(key.networks),
      leaves: undefined,
      joins: undefined,
      isCutOff: false,
    }
  }

  #relate(rotation: KeyRotation): void {
    const known = this.rotations.get(rotation.id)
    const replaced = known?.to !== undefined && known.to !== rotation.to ? this.keys.get(known.to) : undefined
    if (replaced !== undefined) replaced.joins = undefined
    const current = isRunning(rotation) ? rotation : undefined
    const from = this.keys.get(rotation.from)
    if (from !== undefined) from.leaves = current
    const to = rotation.to === undefined ? undefined : this.keys.get(rotation.to)
    if (to !== undefined) to.joins = current
    if (current === undefined) this.rotations.delete(rotation.id)
    else this.rotations.set(rotation.id, current)
  }
}

/** Throws `api-key-unknown`. */
export function entryOf({ index }: { readonly index: KeyIndex }, id: string): KeyEntry {
  const entry = index.keys.get(id)
  if (entry === undefined) throw unknownKey(id)
  return entry
}

export function unknownKey(id: string): Problem {
  return new Problem('api-key-unknown', `there is no API key \`${id.slice(0, 100)}\``)
}

/** Reads everything that is to be in memory. */
export async function loadKeyIndex(
  { store, hashes }: { readonly store: ApiKeyStore; readonly hashes: KeyHashes },
  nowMs: number,
): Promise<KeyIndex> {
  const [successions, clients, keys, rotations] = await Promise.all([
    store.loadSuccessions(),
    store.listClients(),
    store.loadKeys(nowMs - rememberEndedMs),
    store.listRotations({ isRunning: true, limit: 1_000_000 }),
  ])
  const index = new KeyIndex(hashes, successions)
  index.apply({ clients, keys, rotations })
  return index
}
