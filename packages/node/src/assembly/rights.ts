/** Requests of people about their data, on the consents, duties and products of the node. */
import { partOfId } from '@comity/core/exchange/composite-parts'
import { Problem } from '@comity/core/problems'
import type { StoredConsent } from '../consent/holder/consent-store.ts'
import type { ConsentStore } from '../consent/holder/consent-store.ts'
import type { HolderConsents } from '../consent/holder/consents.ts'
import { createConsentUsesStore } from '../consent/check/uses-store-sql.ts'
import type { Duties } from '../duties/duties.ts'
import type { People } from '../people/people.ts'
import type { PersonAccessLog, PersonUse } from '../people/ports.ts'
import type { ConsentOfPerson, ProductAboutPeople, Reader, RightsConsents } from '../rights/rights-ports.ts'
import type { Rights } from '../rights/rights-service.ts'
import { createRightsStore } from '../rights/rights-store-sql.ts'
import { createRights } from '../rights/rights.ts'
import type { Webhooks } from '../webhooks/webhooks.ts'
import type { ConsentAssembly } from './consent.ts'
import { openAccessLog } from './people.ts'

export interface RightsNeeds {
  readonly consents: HolderConsents
  readonly store: ConsentStore
  readonly duties: Duties
  readonly webhooks: Webhooks
  readonly people: People | undefined
}

const pageOfConsents = 500
const pageOfUses = 500
/** Uses whose evidence goes into a bundle; that of the others is where `uses.json` says. */
const evidenceInBundle = 200
/** Whether a consent still stands is asked a last time when the answer is there, right before the use is written. */
const lastUseMs = 2_000

export function openRights(parts: ConsentAssembly, needs: RightsNeeds): Rights {
  const { foundation, auditLog, counterparts, newId } = parts
  const { identity, database, vault, world, events } = foundation
  const { people } = needs
  const store = createRightsStore(database)
  return createRights({
    did: identity.did,
    store,
    vault: {
      open: (handle) => vault.open(handle),
      unseal: (text) => vault.unseal(text),
      destroy: (handle, nowMs) => [
        ...vault.destroy(handle, nowMs),
        ...(people?.deleteSubject(handle) ?? []),
        store.deleteReference(handle),
      ],
      forget: (...handles) => vault.forget(...handles),
    },
    clock: world.clock,
    newId,
    assertionKey: () => identity.assertionKey(),
    products: () => productsAboutPeople(parts),
    consents: consentsOfPeople(parts, needs),
    duties: needs.duties,
    outbox: counterparts.outbox,
    webhooks: needs.webhooks,
    record: (event, effects, key) => auditLog.append(auditLog.prepare({ ...event, subject: key }), effects),
    lastUseMs,
    execute: (statements) => database.execute(statements),
    onError: (error) => events.internalError(error),
  })
}

function personalProducts({ catalogue }: ConsentAssembly) {
  return catalogue
    .list()
    .map(({ product }) => product)
    .filter(({ productClass }) => productClass === 'personal')
}

function productsAboutPeople(parts: ConsentAssembly): readonly ProductAboutPeople[] {
  return [...Map.groupBy(personalProducts(parts), ({ id }) => id)].map(([id, versions]) => ({
    id,
    fields: [...new Set(versions.flatMap(({ personal }) => personal?.describe().labels.map(({ path }) => path) ?? []))],
  }))
}

function consentsOfPeople(parts: ConsentAssembly, needs: RightsNeeds): RightsConsents {
  const { identity, database, vault } = parts.foundation
  const { consents, store } = needs
  const uses = createConsentUsesStore(database)
  const accessLog = openAccessLog(parts, store)
  const byHolder = (request: string) =>
    ({ by: 'holder', actorId: identity.did, method: 'rights', reason: { code: 'right', text: request } }) as const
  /** The person as the consent's recipient knows them; undefined once they were erased. */
  const pairwiseOf = async (id: string, recipient: string) => {
    const reference = await consents.referenceOf(id)
    return reference === undefined ? undefined : vault.pairwise(reference, recipient)
  }
  return {
    list: async (subject) =>
      Promise.all((await allOf(store, subject)).map((consent) => consentOfPerson(consents, consent))),
    async readers(of) {
      const readers = of.map(async ({ id, recipient }): Promise<readonly Reader[]> => {
        const [callers, pairwise] = [await uses.callers(id), await pairwiseOf(id, recipient)]
        return pairwise === undefined ? [] : callers.map((did) => ({ did, consent: id, pairwise }))
      })
      return (await Promise.all(readers)).flat()
    },
    async referenceOf(subject) {
      // What was forgotten of a request that lapsed is in another one.
      for (const { id, reference } of await allOf(store, subject)) if (reference !== '') return consents.referenceOf(id)
      return undefined
    },
    pause: (id, request) => consents.pause(id, byHolder(request)),
    resume: (id, request) => consents.resume(id, byHolder(request)),
    revoke: (id, request) => consents.revoke(id, byHolder(request)),
    async withdraw(id, request) {
      const actorId = await pairwiseOf(id, (await consents.find(id))?.recipient ?? '')
      if (actorId !== undefined) await consents.withdraw(id, { ...byHolder(request), by: 'subject', actorId })
    },
    describe: (of) => describe({ consents, accessLog }, of),
  }
}

async function allOf(store: ConsentStore, subject: string): Promise<readonly StoredConsent[]> {
  const all: StoredConsent[] = []
  for (;;) {
    const before = all.at(-1)?.id
    const page = await store.list({ subject, limit: pageOfConsents, ...(before !== undefined && { before }) })
    all.push(...page)
    if (page.length < pageOfConsents) return all
  }
}

async function consentOfPerson(consents: HolderConsents, stored: StoredConsent): Promise<ConsentOfPerson> {
  const { id, recipient, requestedMs } = stored
  const state = (await consents.find(id))?.state ?? stored.state
  const grants = stored.rev === 0 ? undefined : (await consents.records(id)).at(-1)?.grants
  const named = grants?.filter(({ effect }) => effect === 'permit').map(({ products }) => products ?? [])
  const isOpenToAny = named === undefined || named.some((products) => products.length === 0)
  return {
    id,
    state,
    recipient,
    requestedMs,
    products: isOpenToAny ? undefined : named.flat(),
    pausedFor: state === 'paused' ? await pausedFor(consents, id) : undefined,
  }
}

async function pausedFor(consents: HolderConsents, id: string): Promise<string | undefined> {
  const paused = (await consents.events(id)).findLast(({ type }) => type === 'paused')
  return paused?.reason?.code === 'right' ? paused.reason.text : undefined
}

async function describe(
  { consents, accessLog }: { readonly consents: HolderConsents; readonly accessLog: PersonAccessLog },
  of: readonly ConsentOfPerson[],
): Promise<Record<string, unknown>> {
  const records = await Promise.all(
    of.map(async ({ id, state }) => ({
      id,
      state,
      records: await consents.records(id),
      events: await consents.events(id),
    })),
  )
  const uses = (await Promise.all(of.map(({ id }) => usesOf(accessLog, id)))).flat().toSorted((a, b) => b.atMs - a.atMs)
  const documents: Record<string, unknown> = { 'consents.json': records, 'uses.json': uses.map(useView) }
  const exchanges = new Set(uses.map(({ exchange }) => partOfId(exchange)?.exchange ?? exchange))
  for (const exchange of [...exchanges].slice(0, evidenceInBundle)) {
    // One that cannot be had now is where `uses.json` says, once it can.
    const evidence = await accessLog.proof(exchange).catch(missing)
    if (evidence !== undefined) documents[`evidence-${exchange}.json`] = evidence
  }
  return documents
}

function missing(error: unknown): undefined {
  if (!(error instanceof Problem)) throw error
}

async function usesOf(accessLog: PersonAccessLog, consent: string): Promise<readonly PersonUse[]> {
  const all: PersonUse[] = []
  for (;;) {
    const before = all.at(-1)?.exchange
    const filter = { subject: '', consent, limit: pageOfUses, ...(before !== undefined && { before }) }
    const page = await accessLog.list(filter)
    all.push(...page)
    if (page.length === 0) return all
  }
}

function useView({ atMs, ...use }: PersonUse) {
  const proof = `/v1/me/access-log/${encodeURIComponent(use.exchange)}/proof`
  return { ...use, at: new Date(atMs).toISOString(), proof }
}
