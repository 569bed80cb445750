/** What a thief could do with keys: unlocks a participant's, and signs requests by hand. */
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { encodeBase64url } from '@comity/core/bytes/base64url'
import { contentDigest } from '@comity/core/http-signatures/content-digest'
import { signRequest } from '@comity/core/http-signatures/profile-request'
import { loadKeySecret } from '@comity/node/identity/key-secret'
import { openKeyStore } from '@comity/node/identity/key-store'
import { openOwnIdentity, type NamedKey, type OwnIdentity } from '@comity/node/identity/own-identity'
import { call, type Answer } from './calls.ts'
import type { Participant } from './participant.ts'

/** The keys of a participant from its folder, where the key file lies beside them. */
export async function unlock({ directory, did, url }: Participant): Promise<OwnIdentity> {
  const keys = join(directory, 'keys')
  const secret = await loadKeySecret({ keyFile: join(keys, 'key-file') }, {})
  const store = openKeyStore({ directory: keys, secret, randomBytes })
  return openOwnIdentity({ did, url, store, clock: Date, randomBytes })
}

export interface HandSigned {
  readonly signer: NamedKey
  /** URL of the exchange at the holder. */
  readonly url: string
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>
  /** How long ago the signature was made. */
  readonly ageSeconds?: number
}

const lifetimeSeconds = 30

/** Makes a well-formed, signed `GET` without a node, and sends it to the holder. */
export async function sendHandSigned({ signer, url, headers, ageSeconds = 0 }: HandSigned): Promise<Answer> {
  const { host, pathname, search } = new URL(url)
  const createdAt = Math.floor(Date.now() / 1_000) - ageSeconds
  const parts = {
    method: 'GET',
    authority: host,
    path: pathname,
    query: search === '' ? '?' : search,
    hasBody: false,
    header: (name: string) => headers[name],
  }
  const nonce = encodeBase64url(randomBytes(16))
  const made = signRequest(parts, { ...signer, createdAt, expiresAt: createdAt + lifetimeSeconds, nonce })
  return call(url, { headers: { ...headers, 'signature-input': made.signatureInput, signature: made.signature } })
}

/** The value of `Content-Digest` for a body. */
export const digestOf = (body: Uint8Array): string => contentDigest(body)
