/** Step 2 for API keys: presented as they are, or as the key of a message authentication code (RFC 9421 `hmac-sha256`).
 *  A wrong checksum is refused before anything is looked up; who has not the secret reads the same whether or not there
 *  is such a key. */
import type { Environment } from '@comity/core/api-keys/api-key'
import { contentDigest, verifyContentDigest } from '@comity/core/http-signatures/content-digest'
import type { RequestParts } from '@comity/core/http-signatures/message'
import { isMadeWithKey, unsignedBase } from '@comity/core/http-signatures/profile-key'
import type { ReadSignature } from '@comity/core/http-signatures/profile-request'
import { Problem } from '@comity/core/problems'
import type { InboundCall } from '../inbound-call.ts'
import type { ClientOfGateway, KeyPlace, KeysPort } from '../key-port.ts'
import type { World } from '../ports.ts'
import { duplicated, refuseRepeated, secretOf, withoutKey } from '../presented-key.ts'
import { requestParts } from '../request-parts.ts'

export interface KeyOptions {
  readonly world: Pick<World, 'clock'>
  readonly keys: Pick<KeysPort, 'authenticate' | 'macKeyOf' | 'used' | 'lifeFields'>
  /** Of what has none of its own; `any` where keys of both are taken. */
  readonly environment: Environment | 'any'
  /** Where a key's successor is had. */
  readonly renewal: string
}

function placeOf({ request, addressed }: InboundCall, name: string, { environment }: KeyOptions): KeyPlace {
  const own = name.startsWith('cmty_test_') ? 'test' : 'live'
  const expected = addressed?.environment ?? environment
  return { address: request.remoteAddress, environment: expected === 'any' ? own : expected }
}

/** A key that was presented as it is. From here on the request is without it. */
export function admitPresentedKey(
  call: InboundCall,
  { presented, isSigned }: { readonly presented: string; readonly isSigned: boolean },
  options: KeyOptions,
): void {
  const place = placeOf(call, presented, options)
  call.request = withoutKey(call.request)
  if (isSigned) throw duplicated('the request is signed, and presents an API key too')
  const nowMs = options.world.clock.now()
  const client = options.keys.authenticate(presented, place, nowMs)
  call.unsignedBase = unsignedBase(digested(call))
  refuseRepeated(call.request, secretOf(presented), call.body)
  settle(call, client, options)
  options.keys.used(client.keyId, place, nowMs)
}

/** The request with the digest of its body, which a caller who signs nothing need not send. */
function digested({ request, body }: InboundCall): RequestParts {
  const parts = requestParts({ request, body })
  const told = request.header('content-digest')
  if (told !== undefined) verifyContentDigest(told, body)
  if (told !== undefined || body.length === 0) return parts
  return { ...parts, header: (name) => (name === 'content-digest' ? contentDigest(body) : request.header(name)) }
}

/** A request with a MAC. Its use is counted once it is known to be fresh. */
export async function admitKeySignature(
  call: InboundCall,
  signature: ReadSignature,
  options: KeyOptions,
): Promise<void> {
  const { secret, admit } = options.keys.macKeyOf(signature.keyid)
  if (!isMadeWithKey(signature, secret))
    throw new Problem('key-unknown', 'this node knows no such API key, or its secret or signature does not match')
  verifyContentDigest(call.request.header('content-digest'), call.body)
  refuseRepeated(call.request, Buffer.from(secret).toString('latin1'), call.body)
  settle(call, admit(placeOf(call, signature.keyid, options), options.world.clock.now()), options)
}

function settle(call: InboundCall, client: ClientOfGateway, { keys, renewal }: KeyOptions): void {
  call.client = client
  call.keyFields = keys.lifeFields(client.keyId, renewal)
}
