/** The vault on the node's database. */
import type { KeyObject } from 'node:crypto'
import { utf8Bytes } from '@comity/core/bytes/utf8'
import type { Clock, RandomBytes } from '@comity/core/ports'
import { Problem } from '@comity/core/problems'
import type { Database, Statement } from '../storage/database.ts'
import { deriveKeys, keyedHashOf, type DerivedKeys } from './derived-keys.ts'
import type { Erasure, ErasureJournal } from './erasure-journal.ts'
import {
  createNonces,
  damaged,
  decrypt,
  encrypt,
  formatSealed,
  keyBytes,
  parseSealed,
  unwrapKey,
  type SealedParts,
} from './sealed-text.ts'
import { destroyKeys, insertKey, insertNextKey, keepFingerprint, loadErasures, loadKey } from './subject-keys.ts'
import type { SubjectHandle, SubjectKey, SubjectVault } from './vault.ts'

export interface VaultOptions {
  /** With the tables of `vaultSchema`. */
  readonly database: Database
  /** 32 bytes; with another one nothing that was sealed can be read, and every subject has another name. */
  readonly secret: Uint8Array
  readonly randomBytes: RandomBytes
  readonly clock: Clock
  /** Makes the storage forget what it has overwritten and still keeps elsewhere (a write-ahead log). Nothing unless told. */
  readonly scrub?: (() => Promise<void>) | undefined
  /** Where it is written beside the database who was erased; nowhere unless told. */
  readonly journal?: ErasureJournal | undefined
  /** Told when one of these fails after an erasure. */
  readonly onProblem?: ((error: unknown) => void) | undefined
  /** Keys kept in memory; 10,000 unless told. */
  readonly maxOpenKeys?: number | undefined
}

/** Opens the vault, erases again who was erased after the backup that the database may come from, and makes the storage
 *  forget what a crash may have left of keys that were destroyed before it.
 *  Throws `keys-locked` for another secret than the one that the database was first opened with, or of another length. */
export async function openVault(options: VaultOptions): Promise<SubjectVault & AsyncDisposable> {
  const derived = deriveKeys(options.secret)
  if ((await keepFingerprint(options.database, derived.fingerprint)) !== derived.fingerprint) {
    throw new Problem('keys-locked', "the key file is not the one that the database's personal data was sealed with")
  }
  await agreeOnErasures(options)
  const vault = new DatabaseVault(options, derived)
  await vault.forget()
  return vault
}

/** What the journal has and the database has not is erased again, and the other way round. */
async function agreeOnErasures({ database, journal }: VaultOptions): Promise<void> {
  if (journal === undefined) return
  const [written, stored] = [await journal.read(), await loadErasures(database)]
  const nameOf = ({ handle, generation }: Erasure): string => `${handle} ${generation}`
  const [inJournal, inDatabase] = [new Set(written.map(nameOf)), new Set(stored.map(nameOf))]
  const undone = written.filter((erasure) => !inDatabase.has(nameOf(erasure)))
  await database.execute(
    undone.flatMap(({ handle, generation, erasedMs }) => destroyKeys(handle, erasedMs, generation)),
  )
  await journal.append(stored.filter((erasure) => !inJournal.has(nameOf(erasure))))
}

interface OpenKeyParts {
  readonly handle: SubjectHandle
  readonly generation: number
  readonly key: KeyObject
  readonly nextNonce: () => Uint8Array
}

/** A key in memory. */
class OpenKey implements SubjectKey {
  readonly handle: SubjectHandle
  readonly generation: number
  readonly #key: KeyObject
  readonly #nextNonce: () => Uint8Array

  constructor({ handle, generation, key, nextNonce }: OpenKeyParts) {
    this.handle = handle
    this.generation = generation
    this.#key = key
    this.#nextNonce = nextNonce
  }

  seal(text: string): string {
    const { handle, generation } = this
    const box = encrypt(this.#key, utf8Bytes(text), { handle, nonce: this.#nextNonce() })
    return formatSealed({ handle, generation, box })
  }

  unseal(box: Uint8Array): string {
    return decrypt(this.#key, box, this.handle).toString('utf8')
  }
}

class DatabaseVault implements SubjectVault, AsyncDisposable {
  readonly #options: VaultOptions
  readonly #derived: DerivedKeys
  readonly #nextNonce: () => Uint8Array
  readonly #maxOpenKeys: number
  /** Least recently used first. */
  readonly #open = new Map<SubjectHandle, OpenKey>()
  /** Reads under way, so that each key is read, and made, once. */
  readonly #opening = new Map<SubjectHandle, Promise<OpenKey>>()
  #finishing: Promise<void> = Promise.resolve()

  constructor(options: VaultOptions, derived: DerivedKeys) {
    this.#options = options
    this.#derived = derived
    this.#nextNonce = createNonces(options.randomBytes)
    this.#maxOpenKeys = options.maxOpenKeys ?? 10_000
  }

  handleOf(reference: string): SubjectHandle {
    return keyedHashOf(this.#derived.handle, [reference])
  }

  pairwise(reference: string, did: string): string {
    return `ps_${keyedHashOf(this.#derived.pairwise, [did, reference])}`
  }

  keyedHash(value: string, did: string): string {
    return keyedHashOf(this.#derived.hash, [did, value])
  }

  peek(handle: SubjectHandle): SubjectKey | undefined {
    return this.#touch(handle)
  }

  async open(handle: SubjectHandle): Promise<SubjectKey> {
    return this.#touch(handle) ?? this.#read(handle)
  }

  async unseal(sealed: string): Promise<string | undefined> {
    const parts = parseSealed(sealed)
    const known = this.#touch(parts.handle)
    if (known?.generation === parts.generation) return known.unseal(parts.box)
    return this.#unsealStored(parts)
  }

  destroy(handle: SubjectHandle, nowMs: number): Statement[] {
    return destroyKeys(handle, nowMs)
  }

  forget(...handles: readonly SubjectHandle[]): Promise<void> {
    for (const handle of handles) {
      this.#open.delete(handle)
      // What is being read may be from before: whoever waits for it gets it, and nobody after.
      this.#opening.delete(handle)
    }
    this.#finishing = this.#finishing.then(() => this.#finish(handles))
    return this.#finishing
  }

  async #finish(handles: readonly SubjectHandle[]): Promise<void> {
    const { database, scrub, journal, onProblem } = this.#options
    const steps = [scrub, async () => journal?.append(await loadErasures(database, handles))]
    for (const step of steps) await step?.().catch((error: unknown) => onProblem?.(error))
  }

  readmit(handle: SubjectHandle, nowMs: number): Statement[] {
    return [insertNextKey(handle, this.#newKey(handle), nowMs)]
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#open.clear()
    this.#opening.clear()
    await this.#finishing
  }

  async #unsealStored({ handle, generation, box }: SealedParts): Promise<string | undefined> {
    const stored = await loadKey(this.#options.database, handle)
    if (stored === undefined || generation > stored.generation || generation === 0) throw damaged()
    // A subject gets its next key only after the one before was destroyed.
    if (generation < stored.generation || stored.isErased) return undefined
    return decrypt(unwrapKey(this.#derived.wrapping, stored.wrapped, handle), box, handle).toString('utf8')
  }

  #touch(handle: SubjectHandle): OpenKey | undefined {
    const key = this.#open.get(handle)
    if (key === undefined) return undefined
    this.#open.delete(handle)
    this.#open.set(handle, key)
    return key
  }

  #read(handle: SubjectHandle): Promise<OpenKey> {
    const underway = this.#opening.get(handle)
    if (underway !== undefined) return underway
    const reading = this.#load(handle).then(
      (key) => {
        if (this.#settled(handle, reading)) this.#remember(key)
        return key
      },
      (error: unknown) => {
        this.#settled(handle, reading)
        throw error
      },
    )
    this.#opening.set(handle, reading)
    return reading
  }

  /** False when the handle was forgotten meanwhile. */
  #settled(handle: SubjectHandle, reading: Promise<OpenKey>): boolean {
    return this.#opening.get(handle) === reading && this.#opening.delete(handle)
  }

  #remember(key: OpenKey): void {
    this.#open.set(key.handle, key)
    if (this.#open.size <= this.#maxOpenKeys) return
    const [oldest] = this.#open.keys()
    if (oldest !== undefined) this.#open.delete(oldest)
  }

  async #load(handle: SubjectHandle): Promise<OpenKey> {
    const { database, clock } = this.#options
    let stored = await loadKey(database, handle)
    if (stored === undefined) {
      await database.execute([insertKey(handle, this.#newKey(handle), clock.now())])
      stored = await loadKey(database, handle)
    }
    if (stored === undefined) throw damaged()
    if (stored.isErased) throw new Problem('subject-erased', 'the person was erased here')
    const key = unwrapKey(this.#derived.wrapping, stored.wrapped, handle)
    return new OpenKey({ handle, generation: stored.generation, key, nextNonce: this.#nextNonce })
  }

  /** A fresh key, wrapped. */
  #newKey(handle: SubjectHandle): Uint8Array {
    const key = this.#options.randomBytes(keyBytes)
    const wrapped = encrypt(this.#derived.wrapping, key, { handle, nonce: this.#nextNonce() })
    key.fill(0)
    return wrapped
  }
}
