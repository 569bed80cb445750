/** Step 2, `authenticate`: whose key signed exactly this request (RFC 9421), over exactly this body (RFC 9530); or whose
 *  API key it came with. */
import { verifyContentDigest } from '@comity/core/http-signatures/content-digest'
import type { VerifyingKey } from '@comity/core/crypto/crypto'
import {
  participantSignature,
  readRequestSignature,
  verifyRequestSignature,
  type ReadSignature,
} from '@comity/core/http-signatures/profile-request'
import { isKeySignature } from '@comity/core/http-signatures/profile-key'
import { Problem, problemKinds } from '@comity/core/problems'
import type { InboundCall, Step } from '../inbound-call.ts'
import type { LimitsPort } from '../limit-port.ts'
import type { IdentityPort, World } from '../ports.ts'
import { admitKeySignature, admitPresentedKey, type KeyOptions } from './authenticate-key.ts'
import { claimedKey, penalised } from './admit.ts'
import { presentedKey, refuseKeyInAddress, refuseMisplacedKey, withoutKey } from '../presented-key.ts'
import { requestParts } from '../request-parts.ts'

export interface AuthenticateOptions extends KeyOptions {
  readonly world: World
  readonly identity: IdentityPort
  readonly limits: Pick<LimitsPort, 'penalise'>
  /** Of others no document is fetched: a stranger must not make the node call addresses of its choosing. */
  readonly isPartner: (did: string) => boolean
}

async function verify(call: InboundCall, read: ReadSignature, options: AuthenticateOptions): Promise<void> {
  const signature = participantSignature(read)
  const { did, keyid } = signature
  if (!options.isPartner(did)) {
    if (!isOwnDocument(did)) throw new Problem('participant-unknown', `\`${did}\` is not a partner of this node`)
    // The field may have been read otherwise when the call was admitted.
    if (call.penaltySeconds > 0) throw penalised(call.penaltySeconds)
  }
  const key = options.identity.peek(keyid) ?? (await resolveKey(keyid, options.identity))
  verifyRequestSignature(signature, key)
  verifyContentDigest(call.request.header('content-digest'), call.body)
  call.caller = { did, keyid, key }
}

function isOwnDocument(did: string): boolean {
  return did.startsWith('did:key:') || did.startsWith('did:jwk:')
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

/** Anonymous callers go on; the product's class decides whether that is enough. Half a signature is no anonymity. */
function identify(call: InboundCall, options: AuthenticateOptions): Promise<void> | void {
  const { request } = call
  refuseKeyInAddress(request)
  const isSigned = request.header('signature-input') !== undefined || request.header('signature') !== undefined
  const presented = presentedKey(request)
  // Where anybody may call, a key of something else is nobody's guess at one of ours; it goes no further.
  const isOther = call.addressed?.productClass === 'public' && presented?.startsWith('cmty_') === false
  if (isOther) call.request = withoutKey(request)
  else if (presented !== undefined) return admitPresentedKey(call, { presented, isSigned }, options)
  if (!isSigned) return refuseMisplacedKey(call.request)
  const read = readRequestSignature(requestParts(call))
  call.signature = read
  return isKeySignature(read) ? admitKeySignature(call, read, options) : verify(call, read, options)
}

function isOfNode(error: unknown): boolean {
  return !(error instanceof Problem) || problemKinds[error.code].status >= 500
}

export function authenticate(options: AuthenticateOptions): Step {
  return {
    name: 'authenticate',
    run(call) {
      const { remoteAddress } = call.request
      const claimed = claimedKey(call)
      const failed = (error: unknown): never => {
        options.limits.penalise(remoteAddress, claimed, options.world.clock.now())
        if (call.penaltySeconds === 0 || isOfNode(error)) throw error
        // Failures of a flood are counted, not stored one by one.
        call.tallied = true
        throw penalised(call.penaltySeconds)
      }
      try {
        const pending = identify(call, options)
        return pending?.catch(failed)
      } catch (error) {
        return failed(error)
      }
    },
  }
}
