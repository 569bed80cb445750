/** What a recipient asks of the node that gives it consents and tokens, the holder's or a delegator's, over the wire. */
import { consentStates, type ConsentState } from '@comity/core/consent/consent-record'
import type { ConsentRequest } from '@comity/core/consent/consent-request'
import { Problem, type ProblemCode } from '@comity/core/problems'
import { z } from 'zod'
import type { PartnerEndpoint } from '../../http/partner-client.ts'
import type { SignedCaller } from '../../http/signed-call.ts'

/** Where a request stands. */
export interface AskedState {
  readonly state: ConsentState
  /** When it lapses undecided. */
  readonly lapsesMs: number | undefined
}

/** What the holder shows to a party; nothing of it is verified. */
export interface ShownConsent {
  readonly record: unknown
  readonly state: ConsentState
  readonly events: readonly unknown[]
}

export interface FetchedToken {
  /** `<root>[~<child>…]`. */
  readonly chain: string
  /** The own key that signed the request for it, to which it must be bound. */
  readonly keyid: string
}

/** Every method throws what the other node answered, or why there is no answer. */
export interface ConsentSource {
  ask(partner: PartnerEndpoint, request: ConsentRequest, idempotencyKey: string): Promise<AskedState & { id: string }>
  requestState(partner: PartnerEndpoint, id: string): Promise<AskedState>
  show(partner: PartnerEndpoint, id: string): Promise<ShownConsent>
  /** `refused`: hash of the record whose tokens the holder takes no more, which a delegator may not have heard of. */
  token(partner: PartnerEndpoint, id: string, refused?: string): Promise<FetchedToken>
  /** Gives a consent up. */
  revoke(partner: PartnerEndpoint, id: string, reason: string | undefined): Promise<void>
}

const state = z.enum(consentStates)
const moment = z.iso.datetime({ offset: true }).transform((text) => Date.parse(text))
const consentId = z.string().regex(/^urn:uuid:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)

const askedSchema = z.looseObject({ id: consentId, state, lapses: moment.optional() })
const requestStateSchema = z.looseObject({ state, lapses: moment.optional() })
const shownSchema = z.looseObject({ record: z.unknown(), state, events: z.array(z.unknown()).max(10_000) })
const tokenSchema = z.looseObject({ token: z.string().min(1).max(12_288) })

/** What the other node may say no with. */
const refusals = {
  ask: [
    'consent-request-invalid',
    'consent-state',
    'consent-unknown',
    'template-invalid',
    'subject-erased',
    'rate-limited',
  ],
  read: ['consent-unknown', 'subject-erased'],
  token: ['consent-unknown', 'consent-inactive', 'delegation-refused', 'subject-erased'],
  revoke: ['consent-unknown', 'consent-state', 'subject-erased'],
} as const satisfies Readonly<Record<string, readonly ProblemCode[]>>

export function createConsentSource(call: SignedCaller): ConsentSource {
  const get = (partner: PartnerEndpoint, path: string) => call(partner, { method: 'GET', path, handsOn: refusals.read })
  return {
    async ask(partner, request, idempotencyKey) {
      const path = '/consents/requests'
      const asked = { method: 'POST', path, body: request, idempotencyKey, handsOn: refusals.ask } as const
      const { value } = await call(partner, asked)
      const { id, state: standing, lapses } = read(askedSchema, value, partner)
      return { id, state: standing, lapsesMs: lapses }
    },
    async requestState(partner, id) {
      const { value } = await get(partner, `/consents/requests/${id}`)
      const { state: asked, lapses } = read(requestStateSchema, value, partner)
      return { state: asked, lapsesMs: lapses }
    },
    async show(partner, id) {
      const { record, state: shown, events } = read(shownSchema, (await get(partner, `/consents/${id}`)).value, partner)
      return { record, state: shown, events }
    },
    async token(partner, id, refused) {
      const path = `/consents/${id}/token`
      const { value, keyid } = await call(partner, {
        method: 'GET',
        path,
        handsOn: refusals.token,
        ...(refused !== undefined && { ifNoneMatch: refused }),
      })
      return { chain: read(tokenSchema, value, partner).token, keyid }
    },
    async revoke(partner, id, reason) {
      const body = reason === undefined ? {} : { reason }
      await call(partner, { method: 'POST', path: `/consents/${id}/revoke`, body, handsOn: refusals.revoke })
    },
  }
}

function read<S extends z.ZodType>(schema: S, value: unknown, { did }: PartnerEndpoint): z.infer<S> {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  const place = parsed.error.issues[0]?.path.join('.') ?? ''
  throw new Problem('answer-unusable', `the answer of \`${did}\` is not right at \`${place}\``, { cause: parsed.error })
}
