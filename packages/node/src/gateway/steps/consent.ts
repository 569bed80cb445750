/** Step 7, `consent`: whom the data is about has agreed to this call, by this caller, for this purpose. What it may have
 *  stands in the verdict; why it may not is told without a word about who exists. A call about nobody may have all
 *  labelled fields that it asks for. */
import { wholeRelease } from '@comity/core/minimisation/whole-release'
import { Problem } from '@comity/core/problems'
import type { InboundCall, Step } from '../inbound-call.ts'
import { callerOfConsent } from '../caller-of-consent.ts'
import { isSafeMethod } from './record-intent.ts'
import type {
  ConsentGiven,
  ConsentQuestion,
  ConsentRefused,
  ConsentsPort,
  PartnerOfGateway,
  PersonalCall,
  World,
} from '../ports.ts'

export interface ConsentOptions {
  readonly world: World
  readonly consents: ConsentsPort
  readonly partnerOf: (did: string) => PartnerOfGateway | undefined
}

function questionOf(call: InboundCall, personal: PersonalCall, { world, partnerOf }: ConsentOptions): ConsentQuestion {
  const { request, product, caller, purpose } = call
  if (caller === undefined || product === undefined) throw new Problem('signature-missing', 'the call is not signed')
  return {
    ...personal,
    authorization: request.header('authorization'),
    subjectField: request.header('comity-subject'),
    caller: callerOfConsent(caller, partnerOf),
    purpose,
    product: product.id,
    nowMs: world.clock.now(),
  }
}

function refusalOf({ code, detail, members = {} }: ConsentRefused): Problem {
  return new Problem(code, detail, { members })
}

async function decide(call: InboundCall, personal: PersonalCall, options: ConsentOptions): Promise<void> {
  const verdict = await options.consents.decide(questionOf(call, personal, options))
  if (!verdict.allowed) throw refusalOf(verdict)
  call.consent = verdict
  call.release = verdict.release
}

export function consent(options: ConsentOptions): Step {
  return {
    name: 'consent',
    run(call) {
      const { personal, data } = call.operation ?? {}
      if (personal !== undefined) return decide(call, personal, options)
      if (data !== undefined) call.release = wholeRelease(data.labels, data.requested)
    },
  }
}

async function confirm(given: ConsentGiven, world: World): Promise<void> {
  const refusal = await given.confirm(world.clock.now())
  if (refusal !== undefined) throw refusalOf(refusal)
}

/** Once more when the API has answered a read: what was withdrawn meanwhile does not leave. Of what changes something
 *  the outcome is told all the same. */
export function confirmConsent({ world }: Pick<ConsentOptions, 'world'>): Step {
  return {
    name: 'confirm consent',
    run: ({ consent: given, request }) => (given && isSafeMethod(request.method) ? confirm(given, world) : undefined),
  }
}
