/** Sealing for the gateway: the node's own key agreement keys, and those that the documents of others name. */
import { decodeBase64url } from '@comity/core/bytes/base64url'
import { findService, type DidDocument } from '@comity/core/identity/did-document'
import type { Clock, RandomBytes } from '@comity/core/ports'
import { Problem } from '@comity/core/problems'
import { agreementKeysOf, keyFor, type AgreementKey } from '@comity/core/sealing/agreement-key'
import {
  commitmentTo,
  decodeContent,
  encodeContent,
  saltBytes,
  type ContentOpening,
  type SealedContent,
} from '@comity/core/sealing/sealed-content'
import { parseEnvelope, type EnvelopeType } from '@comity/core/sealing/sealed-envelope'
import {
  isSealingAlgorithm,
  keyKindOf,
  type AgreementKeyKind,
  type SealingAlgorithm,
  type SealingOffer,
} from '@comity/core/sealing/sealing-algorithms'
import type { SealedClaim } from '@comity/core/sealing/sealing-claims'
import {
  importPrivateKey,
  importPublicKey,
  type PrivateAgreementKey,
  type PublicAgreementKey,
} from './key-encapsulation.ts'
import { openEnvelope, sealEnvelope } from './sealing-cipher.ts'

/** The service of a document under which a node says what its products seal. */
const nodeServiceType = 'ComityNode'

/** A private key of this node; `secret` is base64url. */
export interface OwnKey {
  readonly keyid: string
  readonly kind: AgreementKeyKind
  readonly secret: string
  /** True for the one of its kind that others should seal to. */
  readonly isActive: boolean
}

export interface SealingParts {
  /** Not retired, active ones first. */
  readonly ownKeys: () => readonly OwnKey[]
  readonly documents: {
    resolveDocument(did: string): Promise<DidDocument>
    resolveWhere(did: string, holds: (document: DidDocument) => boolean): Promise<DidDocument | undefined>
    invalidate(did: string): void
  }
  /** The node's policy, in order of preference. */
  readonly algorithms: readonly SealingAlgorithm[]
  readonly clock: Clock
  readonly randomBytes: RandomBytes
}

/** A key of another participant, ready to be sealed to. */
export interface Target {
  readonly algorithm: SealingAlgorithm
  readonly keyid: string
  readonly key: PublicAgreementKey
}

/** What an envelope is, and which exchange it belongs to. */
export interface Binding {
  readonly typ: EnvelopeType
  readonly bnd: string
}

/** Some sealed content as it is recorded. */
export interface Sealed {
  readonly claim: SealedClaim
  readonly opening: ContentOpening
}

/** What a document announces, and the keys that it names. */
export interface Announced {
  readonly answers: readonly SealingAlgorithm[]
  readonly requests: readonly SealingAlgorithm[]
  target(algorithm: SealingAlgorithm): Target | undefined
}

export interface SealingService {
  allowed(algorithms: readonly SealingAlgorithm[] | undefined): readonly SealingAlgorithm[]
  offers(algorithms: readonly SealingAlgorithm[]): readonly SealingOffer[]
  /** Throws `key-unknown`, and what resolving a document throws. */
  resolveTarget(offer: SealingOffer): Promise<Target>
  seal(target: Target, binding: Binding, content: SealedContent): { readonly body: Buffer; readonly facts: Sealed }
  /** Throws `unseal-failed`, the same for whatever reason. */
  open(body: Uint8Array, binding: Binding): { readonly content: SealedContent; readonly facts: Sealed }
  announced(did: string, options?: { readonly anew?: boolean }): Promise<Announced>
}

/** Sealing with the node's keys. Holds imported keys in memory, as long as their documents are. */
export function createSealing(parts: SealingParts): SealingService {
  const { ownKeys, documents, algorithms, clock, randomBytes } = parts
  const own = rememberOwnKeys(ownKeys)
  const keysOf = remember(readKeys)
  const announcedIn = remember(announcementOf)
  const inUse = (document: DidDocument) => keysOf(document).filter(({ endsAtMs }) => clock.now() < endsAtMs)

  return {
    allowed: (wanted) => (wanted === undefined ? algorithms : wanted.filter((name) => algorithms.includes(name))),
    offers: (wanted) =>
      wanted.flatMap((algorithm) => {
        const key = ownKeys().find(({ kind, isActive }) => isActive && kind === keyKindOf(algorithm))
        return key === undefined ? [] : [{ algorithm, keyid: key.keyid }]
      }),
    async resolveTarget({ algorithm, keyid }) {
      const find = (document: DidDocument) =>
        inUse(document).find((key) => key.keyid === keyid && key.kind === keyKindOf(algorithm))
      const did = keyid.slice(0, keyid.indexOf('#'))
      // A successor that the remembered document does not name yet makes it be fetched again.
      const document = await documents.resolveWhere(did, (candidate) => find(candidate) !== undefined)
      const key = document && find(document)
      if (key !== undefined) return targetOf(algorithm, key)
      throw new Problem('key-unknown', `\`${keyid}\` is not a key of its participant for ${algorithm} now`)
    },
    seal({ algorithm, keyid, key }, binding, content) {
      const { bytes, opening } = encodeContent(content, randomBytes(saltBytes))
      const envelope = sealEnvelope(
        { head: { alg: algorithm, kid: keyid, ...binding }, key, plaintext: bytes },
        randomBytes,
      )
      const claim = { alg: algorithm, com: commitmentTo(opening) }
      return { body: Buffer.from(envelope, 'latin1'), facts: { claim, opening } }
    },
    open(body, { typ, bnd }) {
      const envelope = parseEnvelope(Buffer.from(body).toString('latin1'))
      const key = own(envelope.kid)
      if (key === undefined || envelope.typ !== typ || envelope.bnd !== bnd) throw unopened()
      const { content, opening } = decodeContent(openEnvelope(envelope, key))
      return { content, facts: { claim: { alg: envelope.alg, com: commitmentTo(opening) }, opening } }
    },
    async announced(did, { anew = false } = {}) {
      if (anew) documents.invalidate(did)
      const document = await documents.resolveDocument(did).catch((error: unknown) => {
        // The call may wait for a partner that is just starting; its answer must not meet the memory of this failure.
        documents.invalidate(did)
        throw error
      })
      const target = (algorithm: SealingAlgorithm) => {
        const key = keyFor(algorithm, inUse(document))
        return key && targetOf(algorithm, key as KnownKey)
      }
      return { ...announcedIn(document), target }
    },
  }
}

function unopened(): Problem {
  return new Problem('unseal-failed', 'the sealed content cannot be opened')
}

function targetOf(algorithm: SealingAlgorithm, { keyid, imported }: KnownKey): Target {
  return { algorithm, keyid, key: imported() }
}

/** The private key of a DID URL, if it is one of the node's that are not retired. */
function rememberOwnKeys(ownKeys: SealingParts['ownKeys']): (keyid: string) => PrivateAgreementKey | undefined {
  const imported = new Map<string, PrivateAgreementKey>()
  return (keyid) => {
    const key = ownKeys().find((candidate) => candidate.keyid === keyid)
    if (key === undefined) {
      imported.delete(keyid)
      return undefined
    }
    const known = imported.get(keyid) ?? importPrivateKey(key.kind, decodeBase64url(key.secret))
    imported.set(keyid, known)
    return known
  }
}

interface KnownKey extends AgreementKey {
  imported(): PublicAgreementKey
}

/** The keys of a document, in the order in which they are to be sealed to, imported once. */
function readKeys(document: DidDocument): readonly KnownKey[] {
  return agreementKeysOf(document, 0).map((key) => ({
    ...key,
    imported: once(() => importPublicKey(key.kind, key.bytes)),
  }))
}

/** What is read of a document, once for as long as the document is in memory. */
function remember<T extends object>(read: (document: DidDocument) => T): (document: DidDocument) => T {
  const known = new WeakMap<DidDocument, T>()
  return (document) => {
    const value = known.get(document) ?? read(document)
    known.set(document, value)
    return value
  }
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined
  return () => (made ??= { value: make() }).value
}

/** What a node announces in its document: algorithms of products that seal answers, and that take sealed requests. */
export interface SealingAnnouncement {
  readonly answers: readonly SealingAlgorithm[]
  readonly requests: readonly SealingAlgorithm[]
}

/** Reads it; algorithms that this version does not know are left out. */
function announcementOf(document: DidDocument): SealingAnnouncement {
  const said = findService(document, nodeServiceType)?.['sealing']
  const { answers, requests } = (typeof said === 'object' && said !== null ? said : {}) as Readonly<
    Record<string, unknown>
  >
  const known = (list: unknown) => (Array.isArray(list) ? list.slice(0, 16).filter(isSealingAlgorithm) : [])
  return { answers: known(answers), requests: known(requests) }
}

/** The document with what the node's products seal; as it is when none does. */
export function announceSealing(document: DidDocument, { answers, requests }: SealingAnnouncement): DidDocument {
  if (answers.length + requests.length === 0) return document
  const service = document.service?.map((entry) =>
    entry.type === nodeServiceType ? { ...entry, sealing: { answers, requests } } : entry,
  )
  return { ...document, service }
}
