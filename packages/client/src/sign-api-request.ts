/** Signing requests with an API key of the use `hmac` (RFC 9421 `hmac-sha256`), for programs that call a holder's node
 *  directly and have no key pair: the secret itself is never sent.
 *
 *      const request = { method: 'GET', url: 'https://holder.example/x/athletes/athletes/7' }
 *      const answer = await fetch(request.url, { ...request, headers: signApiRequest(request, { apiKey }) })  */
import { encodeBase64url } from '@comity/core/bytes/base64url'
import { utf8Bytes } from '@comity/core/bytes/utf8'
import { contentDigest } from '@comity/core/http-signatures/content-digest'
import { signWithApiKey } from '@comity/core/http-signatures/profile-key'
import type { Clock, RandomBytes } from '@comity/core/ports'
import { Problem } from '@comity/core/problems'
import { invalidCall } from './comity-error.ts'
import { platform } from './main.ts'
import { checkFields } from './request-head.ts'

/** A request as it will be sent. */
export interface RequestToSign {
  /** Upper case. */
  readonly method: string
  /** `https:`, without a fragment. */
  readonly url: string
  /** With a body, `content-type` must be among them: what is added later is not signed, and refused. */
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array | undefined
}

export interface ApiSigning {
  /** The whole key, `cmty_live_…`. */
  readonly apiKey: string
  /** Where the key demands it: higher than in any request before, also before the last restart. */
  readonly sequence?: number
  /** Those of the platform where left out. The node's clock may differ from this one by half a minute. */
  readonly clock?: Clock
  readonly random?: RandomBytes
}

const lifetimeSeconds = 30
const maxSequence = 999_999_999_999_999

/** The header fields to send, lower case: those of the request and the signature over them. Good for one request, for half
 *  a minute; sign again to repeat it. Throws `ComityError` `invalid-call`, never with a value in it. */
export function signApiRequest(request: RequestToSign, signing: ApiSigning): Record<string, string> {
  const fields = fieldsOf(request, signing)
  const { host: authority, pathname: path, search } = new URL(request.url)
  const { method, body } = request
  const hasBody = body !== undefined && body.length > 0
  const parts = { method, authority, path, query: search === '' ? '?' : search, hasBody, header: fieldOf(fields) }
  const { apiKey, clock = platform.clock, random = platform.random } = signing
  const createdAt = Math.floor(clock.now() / 1000)
  const times = { createdAt, expiresAt: createdAt + lifetimeSeconds, nonce: encodeBase64url(random(16)) }
  try {
    const made = signWithApiKey(parts, { apiKey, ...times })
    return { ...fields, 'signature-input': made.signatureInput, signature: made.signature }
  } catch (error) {
    if (error instanceof Problem) throw invalidCall(error.message)
    throw error
  }
}

const fieldOf = (fields: Readonly<Record<string, string>>) => (name: string) => fields[name]

function fieldsOf({ headers = {}, body }: RequestToSign, { sequence }: ApiSigning): Record<string, string> {
  const fields = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
  checkFields(
    Object.fromEntries(
      Object.entries(fields).filter(([name]) => !name.startsWith('comity-') && name !== 'idempotency-key'),
    ),
  )
  if (body !== undefined && body.length > 0) {
    if (fields['content-type'] === undefined) throw invalidCall('a request with a body needs `content-type`')
    fields['content-digest'] = contentDigest(typeof body === 'string' ? utf8Bytes(body) : body)
  }
  if (sequence === undefined) return fields
  if (!Number.isInteger(sequence) || sequence < 0 || sequence > maxSequence) {
    throw invalidCall('`sequence` is not a whole number of at most 15 digits')
  }
  return { ...fields, 'comity-sequence': String(sequence) }
}
