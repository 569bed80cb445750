/** Who this node is: its DID, its document, and the keys that sign at this moment. */
import { X509Certificate, createPrivateKey } from 'node:crypto'
import { importSigningKey } from '@comity/core/crypto/crypto-node'
import type { SigningKey } from '@comity/core/crypto/crypto'
import { formatVerifierKey, verifierKey } from '@comity/core/audit-log/verifier-key'
import type { DidDocument } from '@comity/core/identity/did-document'
import { parseDid } from '@comity/core/identity/did'
import { logOriginOf } from '@comity/core/identity/log-origin'
import type { Clock, RandomBytes } from '@comity/core/ports'
import type { TlsCertificate } from '../http/connector.ts'
import { spkiFingerprint } from '../http/spki-fingerprint.ts'
import { generateNodeKey } from './key-generation.ts'
import type { KeyStore } from './key-store.ts'
import {
  decideKeyState,
  nextChangeAtMs,
  privateJwkOf,
  signingKey,
  withoutRetiredSecrets,
  secretOf,
  type KeyPurpose,
  type KeyState,
  type NodeKey,
  type PublicPurpose,
} from './node-keys.ts'
import { ownDocument } from './own-document.ts'
import { checkRotation, planRotation, purposesOf, type RotationRequest } from './rotation.ts'

/** A signing key and the DID URL that others find it by. */
export interface NamedKey {
  readonly keyid: string
  readonly key: SigningKey
}

/** A private key agreement key. */
export interface OwnAgreementKey {
  readonly keyid: string
  readonly kind: 'X25519' | 'MLKEM768-X25519'
  /** 32 bytes in base64url: the X25519 scalar, or the seed of the hybrid key. */
  readonly secret: string
  /** True for the one of its kind that others should seal to. */
  readonly isActive: boolean
}

/** What may be told about a key of one's own. Times are milliseconds since the epoch. */
export interface KeyInfo {
  readonly keyid: string
  readonly purpose: PublicPurpose
  readonly state: KeyState
  readonly createdAtMs: number
  readonly activeAtMs: number
  readonly retiringAtMs?: number | undefined
  readonly retiredAtMs?: number | undefined
  /** `sha256:…`, of a TLS key. */
  readonly fingerprint?: string | undefined
}

export interface OwnIdentity {
  readonly did: string
  /** Name of the audit log. */
  readonly logOrigin: string
  readonly logVerifierKey: string
  /** The document as of now. */
  document(): DidDocument
  authenticationKey(): NamedKey
  assertionKey(): NamedKey
  /** Ed25519; the same for the log's whole life. */
  logKey(): SigningKey
  /** The key agreement keys that are not retired, those to seal to now first; none for a did:key. */
  agreementKeys(): readonly OwnAgreementKey[]
  /** What to present as server and as client now. */
  tls(): TlsCertificate
  keys(): KeyInfo[]
  /** Publishes successors and plans the hand-over. Throws `key-rotation-refused`, `storage-failed`. */
  rotate(request: RotationRequest): Promise<KeyInfo[]>
  /** Reads the key file again, after another process changed it. */
  reload(): Promise<void>
  /** When a key changes its state next: time to give the TLS listener its new certificate. */
  nextChangeAtMs(): number | undefined
}

export interface OwnIdentityOptions {
  readonly did: string
  /** Base URL of the public listener. */
  readonly url: string
  readonly store: Pick<KeyStore, 'load' | 'save'>
  readonly clock: Clock
  readonly randomBytes: RandomBytes
  /** A certificate of a public authority and its key, served instead of the self-signed one. */
  readonly certificate?: TlsCertificate | undefined
}

/** Unlocks the keys. Throws `keys-locked`, `did-invalid`. */
export async function openOwnIdentity(options: OwnIdentityOptions): Promise<OwnIdentity> {
  const { clock } = options
  parseDid(options.did)
  let view = createView(options, await loadKeys(options))
  const current = (): View => (view = view.isCurrent(clock.now()) ? view : createView(options, view.keys))
  const change = createQueue()

  return {
    did: options.did,
    logOrigin: logOriginOf(options.did),
    logVerifierKey: view.logVerifierKey,
    document: () => current().document,
    authenticationKey: () => current().authentication,
    assertionKey: () => current().assertion,
    logKey: () => current().log,
    agreementKeys: () => current().agreement,
    tls: () => current().tls,
    keys: () => current().keys.map((key) => keyInfo(options.did, key, clock.now())),
    nextChangeAtMs: () => nextChangeAtMs(view.keys, clock.now()),
    rotate: (request) =>
      change(async () => {
        const keys = await rotated(options, await options.store.load(), request)
        await options.store.save(keys)
        view = createView(options, keys)
        return keys.map((key) => keyInfo(options.did, key, clock.now()))
      }),
    reload: () =>
      change(async () => {
        view = createView(options, await loadKeys(options))
      }),
  }
}

async function loadKeys(options: OwnIdentityOptions): Promise<readonly NodeKey[]> {
  const { store, clock } = options
  const stored = await store.load()
  const keys = await withHybridKey(withoutRetiredSecrets(stored, clock.now()), options)
  if (keys !== stored) await store.save(keys)
  return keys
}

/** Keys of an earlier version hold no hybrid key: it is made now. */
async function withHybridKey(
  keys: readonly NodeKey[],
  { did, url, clock, randomBytes }: OwnIdentityOptions,
): Promise<readonly NodeKey[]> {
  const has = (purpose: KeyPurpose) => keys.some((key) => key.purpose === purpose)
  if (did.startsWith('did:key:') || has('hybridKeyAgreement') || !has('keyAgreement')) return keys
  const nowMs = clock.now()
  const times = { nowMs, activeAtMs: nowMs, hostname: new URL(url).hostname }
  return [...keys, await generateNodeKey({ purpose: 'hybridKeyAgreement', ...times, randomBytes })]
}

async function rotated(
  { did, url, clock, randomBytes }: OwnIdentityOptions,
  keys: readonly NodeKey[],
  request: RotationRequest,
): Promise<NodeKey[]> {
  const nowMs = clock.now()
  checkRotation(did, keys, { ...request, nowMs })
  const activeAtMs = nowMs + request.publishForMs
  const { hostname } = new URL(url)
  const successors = purposesOf(request).map((purpose) =>
    generateNodeKey({ purpose, nowMs, activeAtMs, hostname, randomBytes, algorithm: request.algorithm }),
  )
  const next = planRotation(keys, await Promise.all(successors), { overlapMs: request.overlapMs, nowMs })
  return [...withoutRetiredSecrets(next, nowMs)]
}

/** All that follows from the keys between two changes of state, so that the hot path only compares two times. */
interface View {
  readonly keys: readonly NodeKey[]
  readonly document: DidDocument
  readonly authentication: NamedKey
  readonly assertion: NamedKey
  readonly agreement: readonly OwnAgreementKey[]
  readonly log: SigningKey
  readonly logVerifierKey: string
  readonly tls: TlsCertificate
  isCurrent(nowMs: number): boolean
}

function createView(options: OwnIdentityOptions, keys: readonly NodeKey[]): View {
  const { did, certificate } = options
  const fromMs = options.clock.now()
  const untilMs = nextChangeAtMs(keys, fromMs) ?? Infinity
  const active = (purpose: KeyPurpose) => signingKey(keys, purpose, fromMs)
  const named = (key: NodeKey): NamedKey => ({ keyid: `${did}#${key.id}`, key: importSigningKey(privateJwkOf(key)) })
  const log = importSigningKey(privateJwkOf(active('log')))
  const logVerifierKey = formatVerifierKey(verifierKey(logOriginOf(did), log.publicJwk))
  const otherTlsJwk = certificate === undefined ? undefined : certificateJwk(certificate)
  return {
    keys,
    document: ownDocument({ ...options, keys, logVerifierKey, otherTlsJwk }, fromMs),
    authentication: named(active('authentication')),
    assertion: named(active('assertionMethod')),
    agreement: agreementKeys(did, keys, fromMs),
    log,
    logVerifierKey,
    tls: certificate ?? tlsCertificate(active('tls')),
    // A clock that was set back asks for the earlier state as well.
    isCurrent: (nowMs) => nowMs >= fromMs && nowMs < untilMs,
  }
}

function agreementKeys(did: string, keys: readonly NodeKey[], nowMs: number): OwnAgreementKey[] {
  const own = keys.flatMap((key): OwnAgreementKey[] => {
    const secret = secretOf(key.jwk)
    const kind = kindOf(key.purpose)
    const state = decideKeyState(key, nowMs)
    if (kind === undefined || secret === undefined || state === 'retired') return []
    return [{ keyid: `${did}#${key.id}`, kind, secret, isActive: state === 'active' }]
  })
  return own.toSorted((a, b) => Number(b.isActive) - Number(a.isActive))
}

function kindOf(purpose: KeyPurpose): OwnAgreementKey['kind'] | undefined {
  if (purpose === 'keyAgreement') return 'X25519'
  return purpose === 'hybridKeyAgreement' ? 'MLKEM768-X25519' : undefined
}

function tlsCertificate(key: NodeKey): TlsCertificate {
  const jwk = { ...privateJwkOf(key) }
  const pem = createPrivateKey({ key: jwk, format: 'jwk' }).export({ type: 'pkcs8', format: 'pem' })
  return { cert: key.certificate ?? '', key: pem.toString() }
}

function certificateJwk({ cert }: TlsCertificate): Readonly<Record<string, unknown>> {
  return { ...new X509Certificate(cert).publicKey.export({ format: 'jwk' }) }
}

function keyInfo(did: string, key: NodeKey, nowMs: number): KeyInfo {
  const { purpose, createdAtMs, activeAtMs, retiringAtMs, retiredAtMs } = key
  return {
    keyid: `${did}#${key.id}`,
    purpose: purpose === 'hybridKeyAgreement' ? 'keyAgreement' : purpose,
    state: decideKeyState(key, nowMs),
    createdAtMs,
    activeAtMs,
    ...(retiringAtMs === undefined ? {} : { retiringAtMs }),
    ...(retiredAtMs === undefined ? {} : { retiredAtMs }),
    ...(key.certificate === undefined ? {} : { fingerprint: spkiFingerprint(key.certificate) }),
  }
}

/** Runs changes one after another, since each reads the file, changes the keys and writes it. */
function createQueue(): <T>(work: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve()
  return (work) => {
    const result = last.then(work, work)
    last = result.catch(() => {})
    return result
  }
}
