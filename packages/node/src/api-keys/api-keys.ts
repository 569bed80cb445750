/** The API keys of a node: who holds them, what they are good for, how they are changed while calls run. */
import { rotationFields, type KeyRotation } from '@comity/core/api-keys/key-rotation'
import { formatDateTime } from '@comity/core/agreement/date-time'
import { Problem } from '@comity/core/problems'
import { isLive, publicFacts, type ApiKeyRecord } from './api-key-record.ts'
import type { ApiKeysParts } from './api-key-ports.ts'
import type { ApiKeyFilter, RotationFilter } from './api-key-store.ts'
import { createClientChanges, presentClient, unknownClient, type ClientChanges } from './client-changes.ts'
import type { Client } from './client.ts'
import { createKeyChanges, type KeyChanges } from './key-changes.ts'
import { loadKeyIndex, unknownKey, type KeyIndex } from './key-index.ts'
import { createKeyLife, type KeyLife } from './key-life.ts'
import { createKeyJudge, type KeyJudge } from './judge-key.ts'
import { KeyUsage, type LastUse } from './key-usage.ts'
import type { KeyNetworkUse } from './key-use-store.ts'
import { isHandedOver } from './rotation-notices.ts'
import { createRotations, type Rotations } from './rotations.ts'
import { createSequences, type TakeSequence } from './sequences.ts'
import { createKeyTending } from './tend-keys.ts'

/** A key as the operator is shown it: nothing that its secret follows from. */
export type KeyFacts = Omit<ApiKeyRecord, 'verifier'> & {
  readonly lastUse: LastUse | undefined
  /** The running rotation in which it is the old key or the successor. */
  readonly rotation: string | undefined
  /** True while it is refused already and that is not written yet. */
  readonly isCutOff: boolean
}

/** A client as the operator is shown it. */
export interface ClientFacts extends Client {
  /** True while its keys are refused already and its removal is not written yet. */
  readonly isCutOff: boolean
}

/** Who still uses the old key of a rotation. Times are milliseconds since the epoch. */
export interface RemainingUser {
  readonly network: string
  readonly lastMs: number
  /** Since the overlap began. */
  readonly uses: number
}

/** What a client is told of its new key. */
export interface RenewedKey {
  readonly key: string
  readonly keyId: string
  readonly use: ApiKeyRecord['use']
  readonly validFrom?: string | undefined
  readonly expires?: string | undefined
  readonly sunset?: string | undefined
}

/** What is done to clients, keys and rotations. */
export interface KeyCommands {
  readonly clients: Omit<ClientChanges, 'writeRest'>
  readonly keys: Omit<KeyLife, 'retire' | 'warn' | 'writeRest'>
  readonly rotations: Omit<Rotations, 'renew'>
}

export interface ApiKeys extends KeyCommands, AsyncDisposable {
  /** Runs the work when all changes that came before have ended; none comes before its end but those that it makes with
   *  the commands that it is given. */
  inTurn<T>(work: (commands: KeyCommands) => Promise<T>): Promise<T>
  readonly judge: KeyJudge
  used(key: string, address: string, nowMs: number): void
  /** What answers to this key say of its end, name and value in turn; `renewal` is where its client fetches its successor,
   *  told where it can. */
  lifeFields(key: string, renewal: string): readonly string[]
  readonly takeSequence: TakeSequence
  /** `presented` is the key itself, where it is no hmac key. Throws `key-not-rotated`, `key-rotation-refused`. */
  renew(key: string, presented: string | undefined): Promise<RenewedKey>
  listClients(): readonly ClientFacts[]
  /** Throws `client-unknown`. */
  showClient(id: string): ClientFacts
  /** Throws `client-unknown` for an id that no client has or had: what a client had that was removed is still there. */
  requireEver(client: string): void
  listKeys(filter: ApiKeyFilter): Promise<readonly KeyFacts[]>
  /** Throws `api-key-unknown`. */
  showKey(id: string): Promise<KeyFacts>
  listRotations(filter: RotationFilter): Promise<readonly KeyRotation[]>
  /** Throws `key-rotation-unknown`. */
  showRotation(id: string): Promise<{ readonly rotation: KeyRotation; readonly remaining: readonly RemainingUser[] }>
  /** Id of the first key of the line that a key is of: its own where it succeeds none. */
  lineOf(id: string): string
  /** Keys that are not ended, and rotations that run. */
  counts(): { readonly live: number; readonly rotations: number }
  /** To be called every second or so. */
  tend(): Promise<void>
}

const rememberEndedMs = 90 * 86_400_000

/** Opens them: all keys that have not ended long ago are read. Throws `storage-failed`. */
export async function openApiKeys(parts: ApiKeysParts): Promise<ApiKeys> {
  const nowMs = parts.clock.now()
  const index = await loadKeyIndex(parts, nowMs)
  const usage = new KeyUsage(parts.uses)
  await usage.load(nowMs - rememberEndedMs, nowMs)
  const changes = createKeyChanges(parts, index)
  const isUsed = (key: string): boolean => usage.lastUse(key) !== undefined
  const commandsOf = (under: KeyChanges) => ({
    clients: createClientChanges(parts, under),
    keys: createKeyLife({ ...parts, isUsed }, under),
    rotations: createRotations({ ...parts, changes: under, usage, isUsed }),
  })
  const commands = commandsOf(changes)
  const { clients, keys: life, rotations } = commands
  return {
    ...commands,
    inTurn: (work) => changes.inTurn(() => work(commandsOf({ ...changes, inTurn: (inner) => inner() }))),
    judge: createKeyJudge({ index, findPartner: parts.findPartner, isUsed }, parts),
    used: (key, address, atMs) => usage.used(key, address, atMs),
    lifeFields: lifeFieldsOf(index),
    takeSequence: createSequences(parts.uses),
    renew: async (key, presented) => renewedKey(await rotations.renew(key, presented)),
    ...reads(parts, { index, usage }),
    tend: createKeyTending({ ...parts, changes, clients, life, rotations, usage, isUsed }),
    [Symbol.asyncDispose]: async () => usage.flush().catch(parts.onError),
  }
}

/** Answers ask for the same fields again and again. */
function lifeFieldsOf(index: KeyIndex): ApiKeys['lifeFields'] {
  const known = new WeakMap<KeyRotation, Map<string, readonly string[]>>()
  return (key, renewal) => {
    const rotation = index.keys.get(key)?.leaves
    if (rotation === undefined) return []
    if (isHandedOver(index, rotation)) return rotationFields(rotation, undefined)
    let byAddress = known.get(rotation)
    if (byAddress === undefined) known.set(rotation, (byAddress = new Map()))
    let fields = byAddress.get(renewal)
    if (fields === undefined) byAddress.set(renewal, (fields = rotationFields(rotation, renewal)))
    return fields
  }
}

interface Known {
  readonly index: KeyIndex
  readonly usage: KeyUsage
}

function reads(parts: ApiKeysParts, { index, usage }: Known) {
  const { store } = parts
  const clientFacts = (client: Client): ClientFacts => ({ ...client, isCutOff: index.removing.has(client.id) })
  return {
    listClients: () => [...index.clients.values()].filter(({ removedMs }) => removedMs === undefined).map(clientFacts),
    showClient: (id: string) => clientFacts(presentClient({ index }, id)),
    requireEver: (client: string) => {
      if (!index.clients.has(client)) throw unknownClient(client)
    },
    listKeys: async (filter: ApiKeyFilter) =>
      (await store.listKeys(filter)).map((key) => factsOf(key, { index, usage })),
    async showKey(id: string) {
      const key = await store.findKey(id)
      if (key === undefined) throw unknownKey(id)
      return factsOf(key, { index, usage })
    },
    listRotations: (filter: RotationFilter) => store.listRotations(filter),
    async showRotation(id: string) {
      const rotation = await store.findRotation(id)
      if (rotation === undefined) throw new Problem('key-rotation-unknown', 'there is no such rotation')
      await usage.flush()
      return { rotation, remaining: remainingOf(rotation, await parts.uses.usesOf(rotation.from)) }
    },
    lineOf: (id: string) => index.lineOf(id),
    counts: () => {
      let live = 0
      for (const { key } of index.keys.values()) if (key.endedMs === undefined) live++
      return { live, rotations: index.rotations.size }
    },
  }
}

function factsOf(key: ApiKeyRecord, { index, usage }: Known): KeyFacts {
  const entry = index.keys.get(key.id)
  const rotation = (entry?.leaves ?? entry?.joins)?.id
  const isCutOff = entry?.isCutOff === true && isLive(key)
  return { ...publicFacts(key), lastUse: usage.lastUse(key.id), rotation, isCutOff }
}

/** From the beginning of the overlap on, latest first. */
function remainingOf({ state, overlapFromMs }: KeyRotation, uses: readonly KeyNetworkUse[]): RemainingUser[] {
  if (state === 'prepared') return []
  return uses
    .filter(({ lastMs, uses: all, marked }) => all > marked && lastMs >= overlapFromMs)
    .map(({ network, lastMs, uses: all, marked }) => ({ network, lastMs, uses: all - marked }))
    .toSorted((a, b) => b.lastMs - a.lastMs)
}

function renewedKey({ rotation, successor }: Awaited<ReturnType<Rotations['renew']>>): RenewedKey {
  const { record, text } = successor
  const { id, use, expiresMs } = record
  const expires = expiresMs === undefined ? {} : { expires: formatDateTime(expiresMs) }
  return { key: text, keyId: id, use, ...expires, sunset: formatDateTime(rotation.sunsetMs) }
}
