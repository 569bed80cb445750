/** Step 1, `admit`: what can be refused without computing anything costly is refused here. */
import { isApiKeyLike } from '@comity/core/api-keys/api-key'
import { Problem } from '@comity/core/problems'
import { readBody, type BodyLimits } from '../../http/body.ts'
import type { InboundCall, Step } from '../inbound-call.ts'
import type { LimitsPort } from '../limit-port.ts'
import type { World } from '../ports.ts'

export interface AdmitOptions {
  readonly world: World
  readonly limits: Pick<LimitsPort, 'admitAddress' | 'penaltySeconds'>
  readonly isPartner: (did: string) => boolean
  /** Largest body of any product, and the room for all of them. */
  readonly bodies: BodyLimits
  /** Authorities (`host[:port]`) that this node answers to. */
  readonly authorities: ReadonlySet<string>
}

const keyName = /cmty_(?:live|test)_[0-9A-Za-z]{8}(?![0-9A-Za-z])/

/** The key id that a request claims, read without parsing the structured field: good enough to count by. Of an API key
 *  that is presented it is the public part. */
export function claimedKey({ request: { header } }: InboundCall): string {
  const field = header('signature-input')
  if (field !== undefined) return /;keyid="([^"]{1,512})"/.exec(field)?.[1] ?? ''
  return keyName.exec(header('x-api-key') || header('authorization') || '')?.[0] ?? ''
}

/** Whether a signature is not even looked at while its address is penalised: one that no partner is said to have made.
 *  Everything else is judged whatever others did, since nobody may keep others out by failing: an API key costs a hash,
 *  and who shows nothing fails at nothing. */
function isOfStranger({ request: { header } }: InboundCall, claimed: string, isPartner: AdmitOptions['isPartner']) {
  if (header('signature-input') === undefined && header('signature') === undefined) return false
  const [did = ''] = claimed.split('#')
  return !isApiKeyLike(claimed) && !isPartner(did)
}

/** What an address is told that has failed to authenticate too often, when it fails. */
export function penalised(retryAfterSeconds: number): Problem {
  return new Problem('rate-limited', 'too many calls from this address failed to authenticate', {
    members: { retryAfterSeconds },
  })
}

function refuseTallied(call: InboundCall, problem: Problem): never {
  call.tallied = true
  throw problem
}

export function admit(options: AdmitOptions): Step {
  const { world, limits, bodies, authorities, isPartner } = options
  return {
    name: 'admit',
    run(call) {
      const { remoteAddress, authority } = call.request
      const nowMs = world.clock.now()
      const verdict = limits.admitAddress(remoteAddress, nowMs)
      if (!verdict.admitted) {
        const retryAfterSeconds = Math.max(1, verdict.retryAfterSeconds)
        const detail = 'too many requests from this address'
        refuseTallied(call, new Problem('rate-limited', detail, { members: { retryAfterSeconds } }))
      }
      const claimed = claimedKey(call)
      call.penaltySeconds = limits.penaltySeconds(remoteAddress, claimed, nowMs)
      if (call.penaltySeconds > 0 && isOfStranger(call, claimed, isPartner)) {
        refuseTallied(call, penalised(call.penaltySeconds))
      }
      if (!authorities.has(authority)) {
        refuseTallied(call, new Problem('misdirected', 'the `host` field names another node'))
      }
      const body = readBody(call.message, call.request.headers, bodies)
      if (body instanceof Promise) {
        const refuse = (error: unknown): never => {
          // A flood of bodies must not become a flood of entries.
          if (error instanceof Problem && error.code === 'concurrency-limited') refuseTallied(call, error)
          throw error
        }
        return body.then((bytes) => void (call.body = bytes), refuse)
      }
      call.body = body
    },
  }
}
