/** Finds the public keys of participants: DID documents with a memory, so that the hot path asks nobody.
 *
 *  Rotation under load: a partner publishes the successor well before it signs (`rotation.ts`), so the first signature
 *  of an unknown key means that the remembered document is old; it is fetched again, once for all who wait. Such
 *  fetches are limited, since a stranger can name unknown keys at will; because a successor is published for longer
 *  than the limit's interval, the last allowed fetch already saw it. */
import { importVerifyingKey } from '@comity/core/crypto/crypto-node'
import type { VerifyingKey } from '@comity/core/crypto/crypto'
import { didOfKeyId } from '@comity/core/identity/did'
import {
  findVerificationMethod,
  type DidDocument,
  type FoundKey,
  type KeyUse,
} from '@comity/core/identity/did-document'
import type { Clock } from '@comity/core/ports'
import { Problem } from '@comity/core/problems'
import { LRUCache } from 'lru-cache'
import type { DocumentSource } from './document-source.ts'

/** What a signature is for. */
export type SignaturePurpose = 'authentication' | 'assertionMethod'

/** A key id under a DID is fetched anew for an unknown key at most this often. A successor must be published for
 *  longer than this before it signs. */
export const unknownKeyIntervalMs = 10_000

export interface IdentityResolver {
  /** The key that `keyid` names, for a signature made at `atMs` (default: now). Throws `key-unknown`,
   *  `did-unresolvable`, `did-invalid`, `malformed-key`. */
  resolveKey(keyid: string, purpose: SignaturePurpose, atMs?: number): Promise<VerifyingKey>
  /** Throws `did-unresolvable`, `did-invalid`. */
  resolveDocument(did: string): Promise<DidDocument>
  /** The document, if it is such that `holds`; one that is not is fetched anew first, under the same limit as for
   *  unknown keys. For what else a document names, e.g. TLS keys. Throws as `resolveDocument`. */
  resolveWhere(did: string, holds: (document: DidDocument) => boolean): Promise<DidDocument | undefined>
  /** The key, when it is known and usable now without asking anybody. */
  peek(keyid: string, purpose?: SignaturePurpose): VerifyingKey | undefined
  /** Forgets what is known about a DID, e.g. after its owner said that a key was revoked. */
  invalidate(did: string): void
}

export interface ResolverOptions {
  readonly source: DocumentSource
  readonly clock: Clock
  /** Told of each document that was loaded, e.g. to learn a partner's TLS keys. Must not throw. */
  readonly onDocument?: ((document: DidDocument) => void) | undefined
  /** How long a document is believed. Default 300,000 ms. */
  readonly ttlMs?: number | undefined
  /** How long a failure is believed. Default 3,000 ms. */
  readonly negativeTtlMs?: number | undefined
}

interface KnownKey {
  readonly key: VerifyingKey
  readonly endsAtMs: number
}

interface Entry {
  readonly document: DidDocument
  /** When its loading began. */
  readonly loadedAtMs: number
  readonly keys: Map<string, KnownKey>
  /** When an unknown key may cause the next fetch. */
  refetchAtMs: number
  /** When the document may be renewed ahead of its end. */
  renewAtMs: number
}

interface Failure {
  readonly error: unknown
  readonly untilMs: number
}

/** A resolver; holds no resources but memory (at most about 32 MiB of documents). */
export function createIdentityResolver(options: ResolverOptions): IdentityResolver {
  const { clock } = options
  const memory = createMemory(options)

  return {
    async resolveKey(keyid, purpose, atMs) {
      const use = { purpose, atMs: atMs ?? clock.now() }
      const found = await lookUp(memory, didOfKeyId(keyid), (entry) => keyOf(entry, keyid, use))
      if (found === undefined) throw unknownKey(keyid, purpose)
      return found
    },
    async resolveWhere(did, holds) {
      return lookUp(memory, did, ({ document }) => (holds(document) ? document : undefined))
    },
    async resolveDocument(did) {
      const entry = memory.fresh(did) ?? (await memory.load(did))
      return entry.document
    },
    peek(keyid, purpose = 'authentication') {
      const did = keyid.slice(0, keyid.indexOf('#'))
      const entry = memory.fresh(did)
      if (entry === undefined) return undefined
      memory.renewAhead(did, entry)
      const known = entry.keys.get(`${purpose} ${keyid}`)
      return known !== undefined && clock.now() < known.endsAtMs ? known.key : undefined
    },
    invalidate: (did) => memory.forget(did),
  }
}

/** What `find` finds in the remembered document, else in one that is fetched anew. */
async function lookUp<T>(memory: Memory, did: string, find: (entry: Entry) => T | undefined): Promise<T | undefined> {
  const remembered = memory.fresh(did)
  if (remembered === undefined) return find(await memory.load(did))
  const found = find(remembered)
  if (found !== undefined) return found
  const renewed = await memory.refetch(did, remembered)
  return renewed === undefined ? undefined : find(renewed)
}

function keyOf(entry: Entry, keyid: string, use: KeyUse): VerifyingKey | undefined {
  const found = findKey(entry.document, keyid, use)
  if (found === undefined) return undefined
  const name = `${use.purpose} ${keyid}`
  const known = entry.keys.get(name)
  if (known !== undefined) return known.key
  const key = importVerifyingKey(found.jwk)
  entry.keys.set(name, { key, endsAtMs: found.endsAtMs })
  return key
}

function findKey(document: DidDocument, keyid: string, use: KeyUse): FoundKey | undefined {
  try {
    return findVerificationMethod(document, keyid, use)
  } catch (error) {
    if (error instanceof Problem && error.code === 'key-unknown') return undefined
    throw error
  }
}

function unknownKey(keyid: string, purpose: SignaturePurpose): Problem {
  return new Problem('key-unknown', `\`${keyid}\` is not a key of its participant for ${purpose} at that time`)
}

interface Memory {
  /** The remembered document, when it is still believed. */
  fresh(did: string): Entry | undefined
  /** Loads the document; callers at the same time share one load. */
  load(did: string): Promise<Entry>
  /** A newer document than the given one, or undefined when it was fetched too recently to ask again. */
  refetch(did: string, old: Entry): Promise<Entry | undefined>
  /** Loads in the background what is about to end, so that nobody has to wait for it. */
  renewAhead(did: string, entry: Entry): void
  forget(did: string): void
}

function createMemory(options: ResolverOptions): Memory {
  const { clock, ttlMs = 300_000 } = options
  const entries = new LRUCache<string, Entry>({ maxSize: 32 * 1024 * 1024, sizeCalculation: sizeOf })
  const { load, isLoading, forget } = createLoader(options, entries)
  return {
    load,
    fresh(did) {
      const entry = entries.get(did)
      const ageMs = entry === undefined ? Infinity : clock.now() - entry.loadedAtMs
      return ageMs >= 0 && ageMs < ttlMs ? entry : undefined
    },
    async refetch(did, old) {
      if (isLoading(did)) return load(did)
      const current = entries.get(did)
      if (current !== undefined && current !== old) return current
      if (clock.now() < old.refetchAtMs) return undefined
      const renewed = await load(did)
      renewed.refetchAtMs = clock.now() + unknownKeyIntervalMs
      return renewed
    },
    renewAhead(did, entry) {
      if (clock.now() < entry.renewAtMs) return
      entry.renewAtMs = clock.now() + ttlMs / 30
      load(did).catch(() => {})
    },
    forget(did) {
      entries.delete(did)
      forget(did)
    },
  }
}

/** Loads each document once at a time, and remembers failures for a short while. */
function createLoader(options: ResolverOptions, entries: LRUCache<string, Entry>) {
  const { clock, negativeTtlMs = 3000 } = options
  const failures = new LRUCache<string, Failure>({ max: 1000 })
  const loads = new Map<string, Promise<Entry>>()

  async function loadNow(did: string, isCurrent: () => boolean): Promise<Entry> {
    try {
      const entry = await loadEntry(did, options)
      // A load that was forgotten meanwhile may have seen what the owner just took back.
      if (!isCurrent()) return entry
      inheritKeys(entry, entries.peek(did), clock.now())
      entries.set(did, entry)
      return entry
    } catch (error) {
      if (isCurrent()) failures.set(did, { error, untilMs: clock.now() + negativeTtlMs })
      throw error
    }
  }

  return {
    load(did: string): Promise<Entry> {
      const running = loads.get(did)
      if (running !== undefined) return running
      const failure = failures.get(did)
      if (failure !== undefined && clock.now() < failure.untilMs) return Promise.reject(failure.error as Error)
      const load: Promise<Entry> = loadNow(did, () => loads.get(did) === load).finally(() => {
        if (loads.get(did) === load) loads.delete(did)
      })
      loads.set(did, load)
      return load
    },
    isLoading: (did: string) => loads.has(did),
    forget(did: string) {
      failures.delete(did)
      loads.delete(did)
    },
  }
}

async function loadEntry(did: string, options: ResolverOptions): Promise<Entry> {
  const loadedAtMs = options.clock.now()
  const document = await options.source(did)
  options.onDocument?.(document)
  const renewAtMs = loadedAtMs + (options.ttlMs ?? 300_000) * 0.8
  return { document, loadedAtMs, keys: new Map(), refetchAtMs: loadedAtMs, renewAtMs }
}

/** Keys in use stay at hand when their document is renewed and still names them. */
function inheritKeys(entry: Entry, old: Entry | undefined, nowMs: number): void {
  for (const name of old?.keys.keys() ?? []) {
    const [purpose, keyid = ''] = name.split(' ') as [SignaturePurpose, string]
    try {
      keyOf(entry, keyid, { purpose, atMs: nowMs })
    } catch {
      // A key that became unreadable is told to whoever asks for it, not to the others.
    }
  }
}

function sizeOf(entry: Entry): number {
  return JSON.stringify(entry.document).length + 1024
}
