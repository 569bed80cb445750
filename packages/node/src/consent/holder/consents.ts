/** The holder's side of consent: requests taken, decisions kept, ends made to bite. Every change is one transaction with
 *  its step, its entry in the log, its status and the notices that it causes. */
import type { ConsentEvent, ConsentRecord, ConsentState } from '@comity/core/consent/consent-record'
import type { StepFacts } from './consent-steps.ts'
import { loadTerms, requestView } from './asked-terms.ts'
import { changeConsent, expire, expireDue, findConsent, loadRecord, unsealReference } from './consent-changes.ts'
import { decline, draft, grant, present } from './consent-decisions.ts'
import type { ConsentsParts } from './consent-ports.ts'
import { receiptOf, requestConsent, type AskingCaller, type RequestReceipt } from './consent-requests.ts'
import type { ConsentChange, ConsentFilter, Consents } from '../consent-service.ts'
import type { StoredConsent } from './consent-store.ts'
import type { Statement } from '../../storage/database.ts'
import { createTurns, type Turns } from '../../storage/turns.ts'
import { standingAt, stateAt } from './standing.ts'

export interface HolderConsents extends Consents {
  /** The row as it counts now: one read by key. */
  find(id: string): Promise<StoredConsent | undefined>
  /** Works in a turn of one consent, once the condition holds: nobody takes a step of it in between. */
  changeIf<T>(
    id: string,
    condition: (() => Promise<void>) | undefined,
    work: (consents: Omit<HolderConsents, 'changeIf'>) => Promise<T>,
  ): Promise<T>
  /** Takes a recipient's request (JSON value); the answer does not tell whether the person exists. */
  requestConsent(value: unknown, caller: AskingCaller): Promise<RequestReceipt>
  list(filter: ConsentFilter): Promise<readonly StoredConsent[]>
  /** What the recipient is told of its request; undefined for everybody else. */
  requestOf(id: string, did: string): Promise<RequestReceipt | undefined>
  /** The writes that forget what was asked a month after it lapsed, when nothing was granted. */
  forgetLapsed(): Promise<readonly Statement[]>
  /** The record in force and how it came to its state, for the parties that the record names; undefined for everybody
   *  else, and while nothing was granted. */
  showTo(id: string, did: string): Promise<ShownToParty | undefined>
}

/** Steps of a consent's life that somebody takes. */
type ConsentSteps = Pick<
  Consents,
  'present' | 'draft' | 'grant' | 'refuse' | 'defer' | 'pause' | 'resume' | 'withdraw' | 'revoke'
>

export interface ShownToParty {
  readonly record: ConsentRecord
  /** That of the last event. */
  readonly state: ConsentState
  readonly events: readonly ConsentEvent[]
}

/** What was asked is kept so long after it lapsed, for who asks what became of it. */
const keepLapsedMs = 30 * 86_400_000

/** The holder's consents on a store. */
export function createConsents(parts: ConsentsParts): HolderConsents {
  const read = readings(parts)
  const turns = createTurns()
  const consents = { ...read, ...forParties(parts, read), ...decisions(parts), ...changes(parts) }
  return {
    ...consents,
    ...inTurn(consents, turns),
    changeIf: (id, condition, work) =>
      turns(id, async () => {
        await condition?.()
        return work(consents)
      }),
  }
}

/** What people, operators and recipients do to a consent, one after the other. What else comes in between, as the clock
 *  does, is kept apart by the number of the step. */
function inTurn(steps: ConsentSteps, turns: Turns): Omit<ConsentSteps, 'draft'> {
  return {
    present: (id, by) => turns(id, () => steps.present(id, by)),
    grant: (made, proof, by) => turns(made.record.id, () => steps.grant(made, proof, by)),
    refuse: (id, by) => turns(id, () => steps.refuse(id, by)),
    defer: (id, by) => turns(id, () => steps.defer(id, by)),
    pause: (id, by) => turns(id, () => steps.pause(id, by)),
    resume: (id, by) => turns(id, () => steps.resume(id, by)),
    withdraw: (id, by) => turns(id, () => steps.withdraw(id, by)),
    revoke: (id, by) => turns(id, () => steps.revoke(id, by)),
  }
}

type Readings = 'find' | 'request' | 'records' | 'events' | 'list' | 'referenceOf'

function readings(parts: ConsentsParts): Pick<HolderConsents, Readings> {
  const { store, vault, clock } = parts
  const opened = async <T>(bodies: readonly { readonly body: string }[]): Promise<T[]> => {
    const texts = await Promise.all(bodies.map(({ body }) => (body === '' ? undefined : vault.unseal(body))))
    return texts.every((text) => text !== undefined) ? texts.map((text) => JSON.parse(text) as T) : []
  }
  return {
    async find(id) {
      const consent = await store.find(id)
      return consent && standingAt(consent, clock.now())
    },
    async request(id) {
      const consent = await findConsent(parts, id)
      return requestView(consent, await loadTerms(parts, id), clock.now())
    },
    records: async (id) => opened<ConsentRecord>(await store.loadRevisions(id)),
    events: async (id) => opened<ConsentEvent>(await store.loadSteps(id)),
    async list(filter) {
      const nowMs = clock.now()
      const now = (await store.list(filter)).map((consent) => standingAt(consent, nowMs))
      return now.filter(({ state }) => filter.state === undefined || state === filter.state)
    },
    referenceOf: async (id) => unsealReference(vault, await findConsent(parts, id)),
  }
}

function forParties(
  parts: ConsentsParts,
  { events }: Pick<HolderConsents, 'events'>,
): Pick<HolderConsents, 'requestOf' | 'showTo'> {
  const { store, clock } = parts
  return {
    async requestOf(id, did) {
      const consent = await store.find(id)
      return consent?.recipient === did ? receiptOf(consent, clock.now()) : undefined
    },
    async showTo(id, did) {
      const found = await store.find(id)
      if (found === undefined || found.rev === 0) return undefined
      const record = await loadRecord(parts, found)
      if (record?.parties.some((party) => party.id === did) !== true) return undefined
      // What has run out is written down first, so that state and steps say the same.
      if (stateAt(found, clock.now()) !== found.state) await expire(parts, found)
      const steps = await events(id)
      const last = steps.at(-1)
      return last && { record, state: last.state, events: steps }
    },
  }
}

type Decisions = 'requestConsent' | 'present' | 'draft' | 'grant' | 'refuse' | 'defer'

function decisions(parts: ConsentsParts): Pick<HolderConsents, Decisions> {
  return {
    requestConsent: (value, caller) => requestConsent(parts, value, caller),
    present: (id, by) => present(parts, id, by),
    draft: (id, choice, by) => draft(parts, id, { choice, by }),
    grant: (made, proof, by) => grant(parts, made, { proof, by }),
    refuse: (id, by) => decline(parts, id, { type: 'refused', by }),
    defer: (id, by) => decline(parts, id, { type: 'deferred', by }),
  }
}

type Changes = 'pause' | 'resume' | 'withdraw' | 'revoke' | 'expireDue' | 'forgetLapsed'

function changes(parts: ConsentsParts): Pick<HolderConsents, Changes> {
  const change = async (id: string, type: StepFacts['type'], { by, actorId, method, reason }: ConsentChange) =>
    changeConsent(parts, await findConsent(parts, id), {
      type,
      by: { id: actorId, role: by },
      method,
      ...(reason !== undefined && { reason }),
    })
  return {
    pause: (id, by) => change(id, 'paused', by),
    resume: (id, by) => change(id, 'resumed', by),
    withdraw: (id, by) => change(id, 'withdrawn', by),
    revoke: (id, by) => change(id, 'revoked', by),
    expireDue: () => expireDue(parts),
    forgetLapsed: async () => parts.store.forgetLapsed(parts.clock.now() - keepLapsedMs),
  }
}
