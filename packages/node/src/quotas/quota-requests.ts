/** The holder's side of requests for a higher quota: taken from who meets the limit, decided by the operator, told to who
 *  asked. What was granted counts from the next call on, until its end or until it is withdrawn. */
import { formatDateTime } from '@comity/core/agreement/date-time'
import { canonicalJson } from '@comity/core/bytes/canonical-json'
import { sha256Text } from '@comity/core/crypto/crypto-node'
import { quotaDecided } from '@comity/core/events/event-types'
import type { Clock } from '@comity/core/ports'
import { Problem } from '@comity/core/problems'
import { inputMistakes, mistakeSentence } from '../http/input-words.ts'
import type { Statement } from '../storage/database.ts'
import type { Turns } from '../storage/turns.ts'
import type { QuotaGrants, RuleQuota } from './quota-grants.ts'
import { quotaWishSchema, type QuotaAsker, type QuotaDecision, type QuotaRequest } from './quota-request.ts'
import type { QuotaPage, QuotaStore } from './quota-store.ts'
import { withdrawalOf, type QuotaWithdrawalOrder } from './quota-withdrawal.ts'

export interface QuotaRecord {
  readonly id: string
  readonly type: string
  readonly timeMs: number
  /** JSON text. */
  readonly body: string
}

interface WebhookEvent {
  readonly type: 'quota.requested' | 'quota.decided' | 'quota.near'
  readonly payload: Readonly<Record<string, unknown>>
  readonly condition?: Statement
}

/** What one client is told of its own quotas. */
export interface ClientQuotaEvent extends WebhookEvent {
  readonly type: 'quota.decided' | 'quota.near'
  readonly client: string
}

export interface QuotaWebhooks {
  hasListener(type: WebhookEvent['type']): boolean
  statement(event: WebhookEvent): Statement[]
  /** True when some client is told. */
  hasClientListener(type: ClientQuotaEvent['type']): boolean
  clientStatement(event: ClientQuotaEvent): Statement[]
  wake(): void
}

export interface QuotaOutbox {
  statement(event: { recipient: string; type: string; payload: Record<string, unknown>; occurredMs: number }): Statement
  wake(): void
}

export interface QuotaRequestsParts {
  readonly store: QuotaStore
  readonly grants: QuotaGrants
  readonly clock: Clock
  readonly newId: () => string
  readonly turns: Turns
  /** The quota of this name that this asker's calls count in; undefined when there is none. */
  readonly quotaOf: (limit: string, asker: QuotaAsker) => RuleQuota | undefined
  readonly isPartner: (did: string) => boolean
  /** A product of this id is on offer. */
  readonly isOffered: (product: string) => boolean
  /** Durable when it resolves, together with the statements. */
  readonly record: (event: QuotaRecord, statements: readonly Statement[]) => Promise<unknown>
  readonly webhooks: QuotaWebhooks
  readonly outbox: QuotaOutbox
}

export interface QuotaGrantOrder {
  /** As many as were asked for when undefined. */
  readonly units?: number | undefined
  /** 30 days from now when undefined. */
  readonly untilMs?: number | undefined
  readonly note?: string | undefined
}

/** Throws unless what would be changed is what the caller saw. */
type Condition = () => Promise<void>

const usualGrantMs = 30 * 86_400_000

export class QuotaRequests {
  readonly #parts: QuotaRequestsParts

  constructor(parts: QuotaRequestsParts) {
    this.#parts = parts
  }

  /** Takes a request. One that is open for the same is that request, however often it is sent. Throws
   *  `quota-request-invalid`, `quota-request-state`. */
  ask(asker: QuotaAsker, body: unknown): Promise<QuotaRequest> {
    const parsed = quotaWishSchema.safeParse(body)
    if (!parsed.success)
      throw new Problem('quota-request-invalid', mistakeSentence(inputMistakes(parsed.error), 'the body'))
    const wish = { ...parsed.data, product: parsed.data.product ?? '' }
    this.#check(asker, wish)
    const turn = `${asker.participant} ${asker.client} ${wish.limit} ${wish.product}`
    return this.#parts.turns(turn, () => this.#take(asker, wish))
  }

  #check(asker: QuotaAsker, { limit, product, units, per }: Wish): void {
    const quota = this.#parts.quotaOf(limit, asker)
    const refuse = (detail: string) => new Problem('quota-request-invalid', detail)
    if (quota === undefined || quota.per !== per) throw refuse(`no quota of yours by the ${per} is called \`${limit}\``)
    if (units <= quota.units) throw refuse(`\`${limit}\` has ${quota.units} units by the ${per} already`)
    if (product !== '' && !quota.by.includes('product') && !quota.by.includes('operation'))
      throw refuse(`\`${limit}\` is one quota for all products`)
    if (product !== '' && !this.#parts.isOffered(product)) throw refuse('there is no such product')
  }

  async #take(asker: QuotaAsker, wish: Wish): Promise<QuotaRequest> {
    const { store, clock, newId, record, webhooks } = this.#parts
    const open = await store.findOpen(asker, wish.limit, wish.product)
    if (open !== undefined) {
      if (open.units === wish.units && open.reason === wish.reason) return open
      throw new Problem('quota-request-state', `\`${open.id}\` asks for this quota already and is not decided yet`)
    }
    const request: QuotaRequest = { ...wish, id: newId(), asker, askedMs: clock.now(), decision: undefined }
    const event = { type: 'quota.requested', payload: factsOf(request) } as const
    await record(this.#recordOf('quota-request', { request }), [
      store.insertRequest(request),
      ...webhooks.statement(event),
    ])
    webhooks.wake()
    return request
  }

  /** Of the one who asked. Throws `quota-request-unknown`, also for another's. */
  async show(id: string, asker?: Pick<QuotaAsker, 'participant' | 'client'>): Promise<QuotaRequest> {
    const request = await this.#parts.store.findRequest(id)
    const isMine =
      asker === undefined || (request?.asker.participant === asker.participant && request.asker.client === asker.client)
    if (request === undefined || !isMine) throw new Problem('quota-request-unknown', 'there is no such request')
    return request
  }

  list(page: QuotaPage): Promise<QuotaRequest[]> {
    return this.#parts.store.listRequests(page)
  }

  /** Throws `quota-request-unknown`, `quota-request-state`, `quota-request-invalid`. */
  grant(id: string, { units, untilMs, note }: QuotaGrantOrder, condition?: Condition): Promise<QuotaRequest> {
    const decidedMs = this.#parts.clock.now()
    const until = untilMs ?? decidedMs + usualGrantMs
    if (until <= decidedMs) throw new Problem('quota-request-invalid', 'what is granted would be over already')
    return this.#decide(id, condition, (request) => {
      const granted = units ?? request.units
      const quota = this.#parts.quotaOf(request.limit, request.asker)
      if (quota !== undefined && granted <= quota.units) {
        const detail = `\`${request.limit}\` has ${quota.units} units by the ${quota.per} already: a grant is for more`
        throw new Problem('quota-request-invalid', detail)
      }
      return { state: 'granted', decidedMs, units: granted, untilMs: until, note }
    })
  }

  /** Throws `quota-request-unknown`, `quota-request-state`. */
  refuse(id: string, note: string | undefined, condition?: Condition): Promise<QuotaRequest> {
    const decidedMs = this.#parts.clock.now()
    const refused = { state: 'refused', decidedMs, units: undefined, untilMs: undefined, note } as const
    return this.#decide(id, condition, () => refused)
  }

  /** Ends a grant before its time: from the next call on, or from a moment. Throws `quota-request-unknown`,
   *  `quota-request-state` for what is no grant or is over, `quota-request-invalid` for an end that is no earlier one. */
  withdraw(id: string, order: QuotaWithdrawalOrder, condition?: Condition): Promise<QuotaRequest> {
    const { clock, store } = this.#parts
    return this.#inTurn(id, condition, (before) => {
      const decision = withdrawalOf(before, order, clock.now())
      return this.#decided(before, decision, store.changeGrant(id, decision))
    })
  }

  /** Throws what `by` throws, `quota-request-unknown`, `quota-request-state`. */
  #decide(id: string, condition: Condition | undefined, by: (request: QuotaRequest) => QuotaDecision) {
    return this.#inTurn(id, condition, (before) => {
      if (before.decision !== undefined)
        throw new Problem('quota-request-state', `the request was ${before.decision.state} already`)
      const decision = by(before)
      return this.#decided(before, decision, this.#parts.store.decideRequest(id, decision))
    })
  }

  /** Whatever changes a request comes after what changed it before, and the condition is looked at in between. */
  #inTurn(id: string, condition: Condition | undefined, work: (before: QuotaRequest) => Promise<QuotaRequest>) {
    return this.#parts.turns(`decide ${id}`, async () => {
      await condition?.()
      return work(await this.show(id))
    })
  }

  async #decided(before: QuotaRequest, decision: QuotaDecision, saving: Statement): Promise<QuotaRequest> {
    const { record, outbox, grants, webhooks } = this.#parts
    const request = { ...before, decision }
    await record(this.#recordOf('quota-decision', { request, before }), [
      saving,
      ...this.#telling(request, decision),
      ...this.#tellingClient(request, decision),
    ])
    if (decision.state !== 'refused') grants.add(request)
    outbox.wake()
    webhooks.wake()
    return request
  }

  /** To the node of who asked, where it has one. */
  #telling(request: QuotaRequest, decision: QuotaDecision): Statement[] {
    const { outbox, isPartner } = this.#parts
    const { participant } = request.asker
    if (!isPartner(participant)) return []
    const { decidedMs: occurredMs, state, units, untilMs: until, note } = decision
    const payload = { request: request.id, limit: request.limit, state, units, until, note, time: occurredMs }
    return [outbox.statement({ recipient: participant, type: quotaDecided, payload, occurredMs })]
  }

  /** Itself, where a client asked. */
  #tellingClient({ id, asker, limit, product, per }: QuotaRequest, decision: QuotaDecision): Statement[] {
    if (asker.client === '') return []
    const { state, units, untilMs, note } = decision
    const until = untilMs === undefined ? undefined : formatDateTime(untilMs)
    const payload = { client: asker.client, request: id, limit, ...(product !== '' && { product }), per }
    const decided = { state, units, until, note }
    return this.#parts.webhooks.clientStatement({
      type: 'quota.decided',
      client: asker.client,
      payload: { ...payload, ...decided },
    })
  }

  #recordOf(type: string, { request, before }: { request: QuotaRequest; before?: QuotaRequest }): QuotaRecord {
    const { newId, clock } = this.#parts
    const [id, timeMs] = [newId(), clock.now()]
    const hashes = { ...(before !== undefined && { before: hashOf(before) }), after: hashOf(request) }
    return { id, type, timeMs, body: JSON.stringify({ type, id, time: timeMs, ...factsOf(request), ...hashes }) }
  }
}

type Wish = Pick<QuotaRequest, 'limit' | 'product' | 'units' | 'per' | 'reason'>

/** SHA-256 of the canonical JSON, base64url. */
export const hashOf = (request: object): string =>
  sha256Text(canonicalJson(JSON.parse(JSON.stringify(request))), 'base64url')

function factsOf({ id, asker, limit, product, units, per, reason, decision }: QuotaRequest) {
  const { participant, client } = asker
  return {
    request: id,
    ...(participant !== '' && { participant }),
    ...(client !== '' && { client }),
    limit,
    ...(product !== '' && { product }),
    units,
    per,
    reason,
    ...(decision !== undefined && {
      state: decision.state,
      granted: decision.units,
      until: decision.untilMs,
      note: decision.note,
    }),
  }
}
