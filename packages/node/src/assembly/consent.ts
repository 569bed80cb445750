/** Consent as a whole: the holder's side and the recipient's, the pages of the people, what is owed when consents end,
 *  and what people ask about their data. */
import {
  consentChanged,
  consentDelegated,
  delegationEnded,
  dutyImposed,
  dutyReported,
  dutyReportedPayload,
} from '@comity/core/events/event-types'
import type { AuditLog } from '../audit-log/audit-log.ts'
import type { ConsentCheck } from '../consent/check/check-consent.ts'
import { createDelegateEvents } from '../consent/holder/consent-delegates.ts'
import type { ConsentsParts } from '../consent/holder/consent-ports.ts'
import { createConsentStore } from '../consent/holder/consent-store-sql.ts'
import type { ConsentStore } from '../consent/holder/consent-store.ts'
import { createConsents, type HolderConsents } from '../consent/holder/consents.ts'
import { createTokenIssuer, type TokenSource } from '../consent/holder/issue-token.ts'
import { createDuties, type Duties } from '../duties/duties.ts'
import type { DutiesParts } from '../duties/duty-ports.ts'
import { createDutyStore } from '../duties/duty-store-sql.ts'
import { handleOfDuties } from '../duties/sealed-duties.ts'
import type { People } from '../people/people.ts'
import type { ProductCatalogue } from '../products/products.ts'
import type { Rights } from '../rights/rights-service.ts'
import { createStatusLists, type StatusLists } from '../status/status-lists.ts'
import { createStatusStore } from '../status/status-store-sql.ts'
import type { Webhooks } from '../webhooks/webhooks.ts'
import { openConsentCheck } from './consent-check.ts'
import type { Counterparts } from './counterparts.ts'
import { personOfDelegation } from './delegated-person.ts'
import type { Foundation } from './foundation.ts'
import { openHeldConsents, type Held } from './held.ts'
import { openPeople, type ExportEvidence } from './people.ts'
import { createReplicaEndings } from '../replicas/replica-endings.ts'
import { createReplicaStore } from '../replicas/replica-store-sql.ts'
import { openRights } from './rights.ts'
import { eraseForDuty, openSubjectErasure, type SubjectErasure } from './subject-erasure.ts'

export interface Consent {
  readonly webhooks: Webhooks
  readonly statusLists: StatusLists
  readonly store: ConsentStore
  readonly consents: HolderConsents
  readonly check: ConsentCheck
  /** Who may give tokens here: this node as holder, and as a delegator. */
  readonly tokenSources: readonly TokenSource[]
  readonly held: Held
  readonly duties: Duties
  readonly rights: Rights
  readonly eraseSubject: SubjectErasure
  /** Undefined when the configuration names no listener for people. */
  readonly people: People | undefined
}

export interface ConsentAssembly {
  readonly foundation: Foundation
  readonly auditLog: AuditLog
  readonly catalogue: ProductCatalogue
  readonly counterparts: Counterparts
  readonly newId: () => string
  readonly exportEvidence: ExportEvidence
  readonly webhooks: Webhooks
}

/** How long a request waits for a decision. */
const requestDays = 30

/** Builds it and takes the events of other nodes that are about it. */
export async function openConsent(parts: ConsentAssembly, stack: AsyncDisposableStack): Promise<Consent> {
  const { foundation, counterparts, webhooks } = parts
  const lateErasure: { forDuty: DutiesParts['eraseSubject'] | undefined } = { forDuty: undefined }
  const duties = await openDuties(parts, webhooks, lateErasure)
  const statusLists = openStatusLists(foundation)
  const store = createConsentStore(foundation.database)
  // The pages and the consents know each other: a request makes a link, and the page behind it decides.
  const late: { people: People | undefined; rights: Rights | undefined } = { people: undefined, rights: undefined }
  const holderParts = holderPartsOf(parts, { store, webhooks, duties, statusLists, late })
  const consents = createConsents(holderParts)
  const held = openHeldConsents({ ...parts, webhooks }, stack)
  const people = await openPeople(parts, { consents, store, rights: () => late.rights })
  late.people = people
  const rights = openRights(parts, { consents, store, duties, webhooks, people })
  late.rights = rights
  const eraseSubject = openSubjectErasure(parts, { consents, held, people })
  lateErasure.forDuty = (duty) => eraseForDuty(parts, { held, erase: eraseSubject }, duty)
  const consent: Consent = {
    webhooks,
    statusLists,
    store,
    consents,
    check: openConsentCheck(foundation, counterparts),
    tokenSources: [createTokenIssuer(holderParts), held.tokenSource],
    held,
    duties,
    rights,
    eraseSubject,
    people,
  }
  listen(counterparts, consent, { holderParts, onError: (error) => foundation.events.internalError(error) })
  return consent
}

async function openDuties(
  { foundation, auditLog, counterparts, newId }: ConsentAssembly,
  webhooks: Webhooks,
  late: { readonly forDuty: DutiesParts['eraseSubject'] | undefined },
): Promise<Duties> {
  const { config, identity, database, vault, events, world } = foundation
  return createDuties({
    did: identity.did,
    store: createDutyStore(database),
    vault,
    ownKey: await vault.open(handleOfDuties(vault)),
    clock: world.clock,
    skewSeconds: config.limits.clockSkewSeconds,
    newId,
    assertionKey: () => identity.assertionKey(),
    resolveKey: (keyid, purpose, atMs) => counterparts.resolver.resolveKey(keyid, purpose, atMs),
    outbox: counterparts.outbox,
    webhooks,
    record: (event, effects) => auditLog.append(auditLog.prepare(event), effects),
    database,
    async eraseSubject(duty) {
      if (late.forDuty === undefined) throw new Error('a duty was reported before the node was whole')
      await late.forDuty(duty)
    },
    replicas: createReplicaEndings(createReplicaStore(database), world.clock),
    onOverdue: ({ id, kind, side }) => events.dutyOverdue({ id, kind, side }),
  })
}

function openStatusLists({ database, identity, config, world }: Foundation): StatusLists {
  return createStatusLists({
    store: createStatusStore(database),
    baseUrl: () => config.listen.public.url.replace(/\/$/, ''),
    assertionKey: () => identity.assertionKey(),
    ...world,
  })
}

interface HolderNeeds extends Pick<Consent, 'store' | 'webhooks' | 'duties' | 'statusLists'> {
  readonly late: { readonly people: People | undefined }
}

function holderPartsOf(parts: ConsentAssembly, needs: HolderNeeds): ConsentsParts {
  const { foundation, auditLog, catalogue, counterparts, newId } = parts
  const { identity, config, vault, world, events } = foundation
  const { late, ...services } = needs
  const peopleUrl = config.listen.people?.url
  return {
    ...services,
    did: identity.did,
    vault,
    clock: world.clock,
    newId,
    assertionKey: () => identity.assertionKey(),
    resolveKey: (keyid, purpose, atMs) => counterparts.resolver.resolveKey(keyid, purpose, atMs),
    async record(event, effects) {
      await auditLog.append(auditLog.prepare(event), effects)
      if (event.type === 'consent') events.consentChanged({ id: event.id })
    },
    outbox: counterparts.outbox,
    links:
      peopleUrl === undefined
        ? undefined
        : {
            create: ({ consent, lifetimeMs }) => {
              if (late.people === undefined) throw new Error('a link was asked for before the pages were there')
              return late.people.links.create({ purpose: 'decide', consent, lifetimeMs })
            },
          },
    products: { describe: (id) => catalogue.get(id)?.personal?.describe() },
    recipients: {
      find: (did) => {
        const partner = counterparts.partners.findByDid(did)
        return partner && { name: partner.name, country: partner.country }
      },
    },
    passkeyFacts: (proof, { subject }) => late.people?.passkeyFacts(proof, subject),
    options: {
      holder: { name: config.participant.name },
      requestDays,
      withdrawalUri: peopleUrl && `${peopleUrl}/me`,
    },
  }
}

/** The events of other nodes that are about consents and duties. One may concern this node as holder and as recipient. */
function listen(
  { handlers, whenTaken }: Counterparts,
  { held, duties, rights, webhooks }: Consent,
  { holderParts, onError }: { readonly holderParts: ConsentsParts; readonly onError: (error: unknown) => void },
): void {
  const delegates = createDelegateEvents(holderParts)
  const reported = new Set<string>()
  whenTaken.push(() => webhooks.wake())
  handlers.set(consentChanged, (event) => held.events.consentChanged(event))
  handlers.set(consentDelegated, async (event) => ({
    effects: [...(await delegates.consentDelegated(event)), ...(await held.events.consentDelegated(event))],
    subject: await personOfDelegation(holderParts, event.payload),
  }))
  handlers.set(delegationEnded, async (event) => [
    ...(await delegates.delegationEnded(event)),
    ...(await held.events.delegationEnded(event)),
  ])
  handlers.set(dutyImposed, (event) => duties.handleImposed(event))
  handlers.set(dutyReported, async (event) => {
    const effects = await duties.handleReported(event)
    const request = await requestOfDuty(duties, event.payload)
    if (request !== undefined) reported.add(request)
    return effects
  })
  // Once it is written down, the request that waited for it may be closed. One that is looked at too early, since another
  // event was taken before its own, is looked at again with all others.
  whenTaken.push(() => {
    for (const request of reported) void rights.settle(request).catch(onError)
    reported.clear()
  })
}

/** The request of a person that a reported duty serves. */
async function requestOfDuty(
  duties: Pick<Duties, 'show'>,
  payload: Readonly<Record<string, unknown>>,
): Promise<string | undefined> {
  return (await duties.show(dutyReportedPayload.parse(payload).duty)).rightsRequest
}
