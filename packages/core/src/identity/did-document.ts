/** DID documents (W3C DID Core 1.0 §5, Controlled Identifiers 1.0 §2): the shape that Comity reads, and how a key is
 *  found in one. Members it does not know are kept and ignored. */
import { z } from 'zod'
import type { PublicJwk } from '../crypto/crypto.ts'
import { parsePublicJwk } from '../crypto/jwk.ts'
import { Problem } from '../problems.ts'
import { didOfKeyId, parseDid } from './did.ts'
import { decodeMultikey } from './multibase.ts'

/** What a key may be used for: the verification relationships of DID Core §5.3. */
export type VerificationPurpose =
  'authentication' | 'assertionMethod' | 'keyAgreement' | 'capabilityInvocation' | 'capabilityDelegation'

/** A document's JSON text may not be longer than this. */
export const maxDidDocumentBytes = 65_536

const text = z.string().min(1).max(2048)
/** `2026-01-31T00:00:00Z`; CID 1.0 §2.2 wants an XML `dateTimeStamp`, which always states its zone. */
const dateTimeStamp = z.iso.datetime({ offset: true })

const verificationMethodSchema = z.looseObject({
  id: text,
  type: text,
  controller: text,
  publicKeyJwk: z.record(z.string(), z.unknown()).optional(),
  publicKeyMultibase: z.string().max(2048).optional(),
  /** From then on no signature of the key counts (CID 1.0 §2.2). */
  expires: dateTimeStamp.optional(),
  revoked: dateTimeStamp.optional(),
  /** Comity: the relationships that a key had before it expired, so that what it signed then can still be verified. */
  formerly: z.array(z.string().max(64)).max(8).optional(),
})

const serviceSchema = z.looseObject({
  id: text,
  type: z.union([text, z.array(text).min(1).max(16)]),
  serviceEndpoint: z.unknown(),
})

const methods = z.array(verificationMethodSchema).max(128)
const relationship = z
  .array(z.union([text, verificationMethodSchema]))
  .max(128)
  .optional()

const didDocumentSchema = z.looseObject({
  id: text,
  controller: z.union([text, z.array(text).max(16)]).optional(),
  verificationMethod: methods.optional(),
  authentication: relationship,
  assertionMethod: relationship,
  keyAgreement: relationship,
  capabilityInvocation: relationship,
  capabilityDelegation: relationship,
  service: z.array(serviceSchema).max(64).optional(),
})

type Loose<T> = T & { readonly [member: string]: unknown }

/** A verification method: one public key and who controls it. */
export type VerificationMethod = Readonly<z.infer<typeof verificationMethodSchema>>

/** A service of a DID document. */
export type DidService = Readonly<z.infer<typeof serviceSchema>>

/** A DID document as Comity reads it. */
export type DidDocument = Loose<{
  readonly id: string
  readonly controller?: string | readonly string[] | undefined
  readonly verificationMethod?: readonly VerificationMethod[] | undefined
  readonly authentication?: readonly (string | VerificationMethod)[] | undefined
  readonly assertionMethod?: readonly (string | VerificationMethod)[] | undefined
  readonly keyAgreement?: readonly (string | VerificationMethod)[] | undefined
  readonly capabilityInvocation?: readonly (string | VerificationMethod)[] | undefined
  readonly capabilityDelegation?: readonly (string | VerificationMethod)[] | undefined
  readonly service?: readonly DidService[] | undefined
}>

/** Checks a parsed JSON value as the document of `did`. Throws `did-invalid` when it has another shape or another
 *  `id`: a document speaks for the DID it names and for no other. */
export function parseDidDocument(value: unknown, did: string): DidDocument {
  const parsed = didDocumentSchema.safeParse(value)
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    const where = issue === undefined || issue.path.length === 0 ? 'the document' : `\`${issue.path.join('.')}\``
    throw new Problem('did-invalid', `${where} of the DID document is malformed`, { cause: parsed.error })
  }
  if (parsed.data.id !== did) {
    throw new Problem('did-invalid', `the DID document names another DID than \`${did}\``)
  }
  return parsed.data
}

/** The methods that stand under a relationship, embedded or referenced, with absolute ids. Methods of other
 *  controllers are left out: what they sign is not said by this DID. */
export function verificationMethods(document: DidDocument, purpose: VerificationPurpose): VerificationMethod[] {
  const entries = document[purpose] ?? []
  return entries.flatMap((entry) => {
    const method = typeof entry === 'string' ? methodById(document, absoluteId(document, entry)) : entry
    return method !== undefined && isOwn(document, method) ? [withAbsoluteId(document, method)] : []
  })
}

/** What a key is wanted for. */
export interface KeyUse {
  readonly purpose: VerificationPurpose
  /** When the signature was made, in milliseconds since the epoch; now, for one that just arrived. */
  readonly atMs: number
}

/** A key that was found, and until when it counts. */
export interface FoundKey {
  readonly method: VerificationMethod
  readonly jwk: PublicJwk
  /** Milliseconds since the epoch; Infinity when the method names no end. */
  readonly endsAtMs: number
}

/** The key that `keyid` names, if the document allows it for this purpose at this time: it stands under the
 *  relationship, or did so (`formerly`) until an `expires` that lies later, and is neither expired nor revoked then.
 *  Throws `key-unknown` otherwise, `did-invalid` when `keyid` is not a key id, `malformed-key` for a bad key. */
export function findVerificationMethod(document: DidDocument, keyid: string, use: KeyUse): FoundKey {
  if (didOfKeyId(keyid) !== document.id) throw unknown(keyid, use)
  const current = verificationMethods(document, use.purpose).find((method) => method.id === keyid)
  const method = current ?? formerMethod(document, keyid, use.purpose)
  if (method === undefined) throw unknown(keyid, use)
  const endsAtMs = endOf(method)
  if (use.atMs >= endsAtMs) throw new Problem('key-unknown', `the key \`${keyid}\` was out of use at that time`)
  return { method, jwk: publicKeyOf(method), endsAtMs }
}

/** The public key of a method, from `publicKeyJwk` or `publicKeyMultibase`. Throws `malformed-key` when there is
 *  none, there are two, or it is neither Ed25519 nor P-256. */
export function publicKeyOf(method: VerificationMethod): PublicJwk {
  if ((method.publicKeyJwk === undefined) === (method.publicKeyMultibase === undefined)) {
    throw new Problem('malformed-key', `the method \`${method.id}\` must hold one public key in one form`)
  }
  return method.publicKeyMultibase === undefined
    ? parsePublicJwk(method.publicKeyJwk)
    : decodeMultikey(method.publicKeyMultibase)
}

/** The first service of a type, e.g. `ComityNode`. */
export function findService(document: DidDocument, type: string): DidService | undefined {
  return document.service?.find((service) => [service.type].flat().includes(type))
}

/** The method with this absolute id, whatever it is for. */
export function methodById(document: DidDocument, id: string): VerificationMethod | undefined {
  const method = document.verificationMethod?.find((candidate) => absoluteId(document, candidate.id) === id)
  return method === undefined ? undefined : withAbsoluteId(document, method)
}

/** A DID URL that may be relative to the document (DID Core §3.2.2), made absolute. */
export function absoluteId(document: DidDocument, id: string): string {
  return id.startsWith('#') ? `${document.id}${id}` : id
}

function formerMethod(
  document: DidDocument,
  keyid: string,
  purpose: VerificationPurpose,
): VerificationMethod | undefined {
  const method = methodById(document, keyid)
  if (method?.expires === undefined || !isOwn(document, method)) return undefined
  return method.formerly?.includes(purpose) === true ? method : undefined
}

function withAbsoluteId(document: DidDocument, method: VerificationMethod): VerificationMethod {
  return { ...method, id: absoluteId(document, method.id) }
}

/** INVARIANT: a key counts for a DID only when the DID both names it below itself and controls it. */
function isOwn(document: DidDocument, method: VerificationMethod): boolean {
  return absoluteId(document, method.id).startsWith(`${document.id}#`) && method.controller === document.id
}

function endOf(method: VerificationMethod): number {
  const times = [method.expires, method.revoked].flatMap((time) => (time === undefined ? [] : [Date.parse(time)]))
  return Math.min(Infinity, ...times)
}

function unknown(keyid: string, use: KeyUse): Problem {
  const did = parseDid(keyid.slice(0, keyid.indexOf('#'))).did
  return new Problem('key-unknown', `\`${keyid}\` is not a key of \`${did}\` for ${use.purpose}`)
}
