/** Requests of people about their data, on the consents, duties and products of the node. */
import type { ConsentStore } from '../consent/consent-store.ts'
import type { HolderConsents } from '../consent/consents.ts'
import { createConsentUsesStore } from '../consent/uses-store-sql.ts'
import type { Duties } from '../duties/duties.ts'
import type { People } from '../people/people.ts'
import type { Reader, Rights, RightsConsents } from '../rights/rights-ports.ts'
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

const maxConsents = 1_000
const maxUses = 10_000

export function openRights(parts: ConsentAssembly, needs: RightsNeeds): Rights {
  const { foundation, auditLog, catalogue, counterparts, newId } = parts
  const { identity, database, vault, world } = foundation
  const { people } = needs
  return createRights({
    did: identity.did,
    store: createRightsStore(database),
    vault: {
      open: (handle) => vault.open(handle),
      unseal: (text) => vault.unseal(text),
      destroy: (handle, nowMs) => [...vault.destroy(handle, nowMs), ...(people?.deleteSubject(handle) ?? [])],
      forget: (...handles) => vault.forget(...handles),
    },
    clock: world.clock,
    newId,
    assertionKey: () => identity.assertionKey(),
    products: () =>
      catalogue
        .list()
        .filter(({ product }) => product.productClass === 'personal')
        .map(({ product }) => product.id),
    consents: consentsOfPeople(parts, needs),
    duties: needs.duties,
    outbox: counterparts.outbox,
    webhooks: needs.webhooks,
    record: (event, effects, key) => auditLog.append(auditLog.prepare({ ...event, subject: key }), effects),
  })
}

function consentsOfPeople(parts: ConsentAssembly, { consents, store }: RightsNeeds): RightsConsents {
  const { identity, database, vault } = parts.foundation
  const uses = createConsentUsesStore(database)
  const accessLog = openAccessLog(parts, store)
  const list = (subject: string) => consents.list({ subject, limit: maxConsents })
  const byHolder = (request: string) =>
    ({ by: 'holder', actorId: identity.did, method: 'rights', reason: { code: 'right', text: request } }) as const
  return {
    list,
    async readers(subject) {
      const readers = new Map<string, Reader>()
      for (const { id, recipient } of await list(subject)) {
        const reference = await consents.referenceOf(id)
        if (reference === undefined) continue
        const pairwise = vault.pairwise(reference, recipient)
        for (const { caller } of await uses.list(id, { limit: maxUses })) {
          readers.set(`${caller} ${id}`, { did: caller, consent: id, pairwise })
        }
      }
      return [...readers.values()]
    },
    pause: (id, request) => consents.pause(id, byHolder(request)),
    resume: (id, request) => consents.resume(id, byHolder(request)),
    revoke: (id, request) => consents.revoke(id, byHolder(request)),
    async withdraw(id, request) {
      const reference = await consents.referenceOf(id)
      const standing = await consents.find(id)
      if (reference === undefined || standing === undefined) return
      const actorId = vault.pairwise(reference, standing.recipient)
      await consents.withdraw(id, { ...byHolder(request), by: 'subject', actorId })
    },
    async describe(subject) {
      const described = (await list(subject)).map(async ({ id, state }) => ({
        id,
        state,
        records: await consents.records(id),
        events: await consents.events(id),
      }))
      return { consents: await Promise.all(described), uses: await accessLog.list({ subject, limit: maxUses }) }
    },
  }
}
