/** Step 2, `authenticate`: whose key signed exactly this request (RFC 9421), over exactly this body (RFC 9530). */
import { verifyContentDigest } from '@comity/core/http-signatures/content-digest'
import type { VerifyingKey } from '@comity/core/crypto/crypto'
import type { RequestParts } from '@comity/core/http-signatures/message'
import { parseRequestSignature, verifyRequestSignature } from '@comity/core/http-signatures/profile-request'
import { Problem } from '@comity/core/problems'
import type { InboundCall, Step } from '../inbound-call.ts'
import type { LimitsPort } from '../limit-port.ts'
import type { IdentityPort, World } from '../ports.ts'
import { claimedKey } from './admit.ts'

export interface AuthenticateOptions {
  readonly world: World
  readonly identity: IdentityPort
  readonly limits: LimitsPort
  /** True when the DID's document may be fetched: a stranger must not make the node call addresses of its choosing. */
  readonly mayResolve: (did: string) => boolean
}

async function verify(call: InboundCall, options: AuthenticateOptions): Promise<void> {
  const signature = parseRequestSignature(requestParts(call))
  const { did, keyid } = signature
  call.signature = signature
  if (!options.mayResolve(did)) throw new Problem('participant-unknown', `\`${did}\` is not a partner of this node`)
  const key = options.identity.peek(keyid) ?? (await resolveKey(keyid, options.identity))
  verifyRequestSignature(signature, key)
  verifyContentDigest(call.request.header('content-digest'), call.body)
  call.caller = { did, keyid, key }
}

/** A caller whose document cannot be had is not identified: that is the caller's failure, not the node's. */
async function resolveKey(keyid: string, identity: IdentityPort): Promise<VerifyingKey> {
  try {
    return await identity.resolveKey(keyid, 'authentication')
  } catch (error) {
    if (!(error instanceof Problem) || error.code !== 'did-unresolvable') throw error
    throw new Problem('key-unknown', `the DID document that names \`${keyid}\` cannot be had now`, { cause: error })
  }
}

/** The request as the signature profile reads it. */
export function requestParts({ request, body }: InboundCall): RequestParts {
  const { method, authority, path, query, header } = request
  return { method, authority, path, query, header, scheme: 'https', hasBody: body.length > 0 }
}

export function authenticate(options: AuthenticateOptions): Step {
  return {
    name: 'authenticate',
    run(call) {
      // Anonymous callers go on; the product's class decides whether that is enough. Half a signature is no anonymity.
      const { request } = call
      if (request.header('signature-input') === undefined && request.header('signature') === undefined) return
      return verify(call, options).catch((error: unknown) => {
        options.limits.penalise(call.request.remoteAddress, claimedKey(call), options.world.clock.now())
        throw error
      })
    },
  }
}
