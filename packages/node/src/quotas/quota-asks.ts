/** The asker's side: asks a partner for a higher quota, and remembers what it said. */
import { quotaDecidedPayload } from '@comity/core/events/event-types'
import { quotaPeriods } from '@comity/core/limits/quota'
import type { Clock } from '@comity/core/ports'
import { Problem } from '@comity/core/problems'
import { z } from 'zod'
import { timeSchema } from '../http/input-words.ts'
import type { SignedCaller } from '../http/signed-call.ts'
import type { PartnerEndpoint } from '../http/partner-client.ts'
import type { Statement } from '../storage/database.ts'
import { quotaRequestStates, type QuotaAsk, type QuotaDecision, type QuotaWish } from './quota-request.ts'
import { hashOf, type QuotaRecord, type QuotaWebhooks } from './quota-requests.ts'
import type { QuotaPage, QuotaStore } from './quota-store.ts'

export interface QuotaAsksParts {
  readonly store: QuotaStore
  readonly clock: Clock
  /** How far a partner's clock may be ahead. */
  readonly skewMs: number
  readonly newId: () => string
  readonly call: SignedCaller
  /** Throws `partner-unknown`. */
  readonly partnerOf: (aliasOrDid: string) => PartnerEndpoint
  readonly record: (event: QuotaRecord, statements: readonly Statement[]) => Promise<unknown>
  readonly webhooks: QuotaWebhooks
}

/** What the holder's node answers. */
const answerSchema = z.looseObject({
  id: z.string().regex(/^[\w:-]{1,100}$/),
  limit: z.string(),
  per: z.enum(quotaPeriods),
  state: z.enum(quotaRequestStates),
  decided: timeSchema.optional(),
  granted: z.int().positive().optional(),
  until: timeSchema.optional(),
  note: z.string().max(1_000).optional(),
})

export class QuotaAsks {
  readonly #parts: QuotaAsksParts

  constructor(parts: QuotaAsksParts) {
    this.#parts = parts
  }

  /** Throws `partner-unknown`, what the partner answers, and why there is no answer. */
  async ask(partner: string, wish: QuotaWish): Promise<QuotaAsk> {
    const { store, clock, newId, call, partnerOf, record } = this.#parts
    const endpoint = partnerOf(partner)
    const handsOn = ['quota-request-invalid', 'quota-request-state', 'rate-limited'] as const
    const { value } = await call(endpoint, { method: 'POST', path: '/limits/requests', body: wish, handsOn })
    const { id } = read(value, endpoint)
    const { product = '', limit, units, per, reason } = wish
    const known = await store.findAsk(id)
    if (known !== undefined && (known.partner !== endpoint.did || known.limit !== limit || known.product !== product)) {
      throw new Problem('answer-unusable', `the node of \`${endpoint.did}\` answered with the id of another request`)
    }
    const askedMs = clock.now()
    const ask = { id, partner: endpoint.did, limit, product, units, per, reason, askedMs, decision: undefined }
    const facts = { request: id, partner: endpoint.did, limit, product: wish.product, units, per, reason }
    const body = JSON.stringify({ type: 'quota-ask', time: askedMs, ...facts, after: hashOf(ask) })
    await record({ id: newId(), type: 'quota-ask', timeMs: askedMs, body }, [store.saveAsk(ask)])
    return (await store.findAsk(id)) ?? ask
  }

  /** One of them; an open one is asked for at the partner. Throws `quota-request-unknown`. */
  async show(id: string): Promise<QuotaAsk> {
    const { store, call, partnerOf, record, newId, clock } = this.#parts
    const ask = await store.findAsk(id)
    if (ask === undefined) throw new Problem('quota-request-unknown', 'this node asked for nothing of this name')
    if (ask.decision !== undefined) return ask
    const endpoint = partnerOf(ask.partner)
    const path = `/limits/requests/${encodeURIComponent(id)}`
    const { value } = await call(endpoint, { method: 'GET', path, handsOn: ['quota-request-unknown'] })
    const answered = decisionOf(read(value, endpoint), clock.now())
    if (answered === undefined) return ask
    const decision = { ...answered, decidedMs: this.#decidedMs(answered.decidedMs) }
    const body = JSON.stringify({ type: 'quota-answer', time: clock.now(), request: id, ...decision })
    await record({ id: newId(), type: 'quota-answer', timeMs: clock.now(), body }, this.#deciding(ask, decision))
    this.#parts.webhooks.wake()
    return { ...ask, decision }
  }

  list(page: QuotaPage): Promise<QuotaAsk[]> {
    return this.#parts.store.listAsks(page)
  }

  /** What the partner's event brings about; nothing for an ask that is not this node's, or that is known to be decided
   *  then or later: a grant may be withdrawn or shortened, and events may overtake each other. */
  async handle({ issuer, payload }: { issuer: string; payload: unknown }): Promise<readonly Statement[]> {
    const { request, state, units, until: untilMs, note, time } = quotaDecidedPayload.parse(payload)
    const decidedMs = this.#decidedMs(time)
    const ask = await this.#parts.store.findAsk(request)
    if (ask === undefined || ask.partner !== issuer || isKnown(ask, decidedMs)) return []
    return this.#deciding(ask, { state, decidedMs, units, untilMs, note })
  }

  /** When the partner says that it decided. What lies in the future counts as of now: it would stand above whatever is
   *  decided until then. */
  #decidedMs(toldMs: number): number {
    const nowMs = this.#parts.clock.now()
    return toldMs > nowMs + this.#parts.skewMs ? nowMs : toldMs
  }

  /** The own systems are told in the transaction in which the ask is decided, and only then. */
  #deciding(ask: QuotaAsk, decision: QuotaDecision): Statement[] {
    const { store, webhooks } = this.#parts
    const { id, partner, limit, product, per } = ask
    const { state, units, untilMs: until, note } = decision
    const payload = { request: id, partner, limit, ...(product !== '' && { product }), per, state, units, until, note }
    const condition = {
      sql: "EXISTS (SELECT 1 FROM quota_asks WHERE id = ? AND (state = 'asked' OR decided_ms < ?))",
      params: [id, decision.decidedMs],
    }
    return [
      ...webhooks.statement({ type: 'quota.decided', payload, condition }),
      store.decideAsk(id, partner, decision),
    ]
  }
}

const isKnown = ({ decision }: QuotaAsk, decidedMs: number) => decision !== undefined && decision.decidedMs >= decidedMs

function read(value: unknown, { did }: PartnerEndpoint): z.infer<typeof answerSchema> {
  const parsed = answerSchema.safeParse(value)
  if (parsed.success) return parsed.data
  throw new Problem('answer-unusable', `the node of \`${did}\` answered with something else than a request for a quota`)
}

function decisionOf(answer: z.infer<typeof answerSchema>, nowMs: number): QuotaDecision | undefined {
  const { state, granted, until, decided, note } = answer
  if (state === 'asked') return undefined
  const untilMs = until === undefined ? undefined : Date.parse(until)
  return { state, decidedMs: decided === undefined ? nowMs : Date.parse(decided), units: granted, untilMs, note }
}
