/** The result of a person's request as one signed bundle: documents, and a manifest of their hashes that the holder
 *  signs, so that any part can be shown to others and checked alone.
 *
 *      { "comity": "rights-bundle", "version": 1, "manifest": "<compact JWS>",
 *        "documents": { "consents.json": "…text…", "uses.json": "…text…" } }
 *      manifest claims  { "iss": "did:web:…", "iat": 1718000001, "request": "0190…", "type": "access",
 *                         "status": "fulfilled", "documents": { "consents.json": "<SHA-256, base64url>" } } */
import { z } from 'zod'
import { encodeBase64url } from '../bytes/base64url.ts'
import { parseJson } from '../bytes/json.ts'
import { utf8Bytes } from '../bytes/utf8.ts'
import { sha256 } from '#crypto'
import type { SigningKey, VerifyingKey } from '../crypto/crypto.ts'
import { didOfKeyId } from '../identity/did.ts'
import { parseCompactJws, signCompactJws, verifyCompactJws, type ParsedJws } from '../jws/compact.ts'
import { Problem } from '../problems.ts'
import { rightsStatuses, rightsTypes, type RightsStatus, type RightsType } from './rights-request.ts'

export const rightsManifestType = 'comity-rights-manifest+jwt'
/** Longest manifest that is read, in characters: some thousand documents. */
const maxManifestLength = 1_000_000

export interface RightsManifest {
  /** DID of the holder. */
  readonly iss: string
  /** Seconds. */
  readonly iat: number
  /** Id of the request. */
  readonly request: string
  readonly type: RightsType
  readonly status: RightsStatus
  /** Name → SHA-256 of the document's UTF-8 bytes, base64url. */
  readonly documents: Readonly<Record<string, string>>
}

export interface RightsBundle {
  readonly comity: 'rights-bundle'
  readonly version: 1
  /** Compact JWS. */
  readonly manifest: string
  /** Name → text. */
  readonly documents: Readonly<Record<string, string>>
}

const text = z.string().min(1).max(2048)
const manifestSchema = z.strictObject({
  iss: text,
  iat: z.int().nonnegative(),
  request: text,
  type: z.enum(rightsTypes),
  status: z.enum(rightsStatuses),
  documents: z.record(z.string().regex(/^[\w.-]{1,100}$/), z.string().length(43)),
})
const bundleSchema = z.strictObject({
  comity: z.literal('rights-bundle'),
  version: z.literal(1),
  manifest: z.string(),
  documents: z.record(z.string(), z.string()),
})

const hashOf = (document: string): string => encodeBase64url(sha256(utf8Bytes(document)))

/** Signs the documents of one request. `keyid` names an `assertionMethod` key of the holder. */
export function signRightsBundle(
  about: Omit<RightsManifest, 'documents'>,
  documents: Readonly<Record<string, string>>,
  signer: { readonly keyid: string; readonly key: SigningKey },
): RightsBundle {
  const hashes = Object.fromEntries(Object.entries(documents).map(([name, document]) => [name, hashOf(document)]))
  const header = { typ: rightsManifestType, kid: signer.keyid }
  const manifest = signCompactJws({ key: signer.key, header, payload: JSON.stringify({ ...about, documents: hashes }) })
  return { comity: 'rights-bundle', version: 1, manifest, documents }
}

export interface ParsedRightsBundle {
  /** Not verified yet. */
  readonly manifest: RightsManifest
  /** DID URL of the key; of the DID that `iss` names. */
  readonly kid: string
  readonly documents: Readonly<Record<string, string>>
  readonly jws: ParsedJws
}

/** Reads a bundle. Throws `proof-invalid` for one that is malformed, or whose manifest names another's key. */
export function parseRightsBundle(value: unknown): ParsedRightsBundle {
  return asInvalid(() => {
    const bundle = bundleSchema.parse(value)
    const jws = parseCompactJws(bundle.manifest, { typ: rightsManifestType, maxLength: maxManifestLength })
    const manifest = manifestSchema.parse(parseJson(jws.payloadText))
    const kid = jws.header.kid ?? ''
    if (didOfKeyId(kid) !== manifest.iss) throw invalid('the manifest is not signed by its issuer')
    return { manifest, kid, documents: bundle.documents, jws }
  })
}

/** Checks a bundle: the manifest's signature, and every document against it. `resolveKey` gives the key of a DID URL as
 *  it counted at a moment (milliseconds). Throws `proof-invalid`. */
export function verifyRightsBundle(
  value: unknown,
  resolveKey: (kid: string, atMs: number) => VerifyingKey,
): RightsManifest {
  const { manifest, kid, documents, jws } = parseRightsBundle(value)
  return asInvalid(() => {
    verifyCompactJws(jws, resolveKey(kid, manifest.iat * 1000))
    const names = Object.keys(documents)
    if (names.length !== Object.keys(manifest.documents).length) throw invalid('documents are missing or added')
    for (const name of names) {
      if (manifest.documents[name] !== hashOf(documents[name] ?? '')) {
        throw invalid(`the document \`${name}\` is not the one that was signed`)
      }
    }
    return manifest
  })
}

function asInvalid<T>(run: () => T): T {
  try {
    return run()
  } catch (cause) {
    if (cause instanceof Problem && cause.code === 'proof-invalid') throw cause
    if (cause instanceof Problem) throw invalid(cause.message, cause)
    if (cause instanceof z.ZodError) throw invalid('the bundle is malformed', cause)
    throw cause
  }
}

function invalid(detail: string, cause?: unknown): Problem {
  return new Problem('proof-invalid', detail, { cause })
}
