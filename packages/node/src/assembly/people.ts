/** The pages of the people, when the configuration has a listener for them. Their code is loaded only then. */
import { Problem } from '@comity/core/problems'
import type { HolderConsents } from '../consent/holder/consents.ts'
import type { ConsentStore } from '../consent/holder/consent-store.ts'
import { createConsentUsesStore } from '../consent/check/uses-store-sql.ts'
import type { People } from '../people/people.ts'
import type { PersonAccessLog, PersonName, PersonNames } from '../people/ports.ts'
import type { Product } from '../products/product.ts'
import { nameOfDomain, namesOfFields } from '../products/labels/product-names.ts'
import type { Rights } from '../rights/rights-service.ts'
import { loadErasures } from '../vault/subject-keys.ts'
import { createAccessLog } from './access-log.ts'
import type { ConsentAssembly } from './consent.ts'

/** The evidence of an exchange, to be verified offline. */
export type ExportEvidence = (exchange: string) => Promise<{ readonly evidence: unknown }>

/** Who was given what about whom. */
export function openAccessLog(
  { foundation, auditLog, exportEvidence }: ConsentAssembly,
  store: ConsentStore,
): PersonAccessLog {
  return createAccessLog({
    auditLog,
    store,
    uses: createConsentUsesStore(foundation.database),
    loadErasures: (subject) => loadErasures(foundation.database, [subject]),
    exportEvidence: async (exchange) => (await exportEvidence(exchange)).evidence,
  })
}

export interface PagesNeeds {
  readonly consents: HolderConsents
  readonly store: ConsentStore
  /** Undefined until the node is whole: the pages and the requests know each other. */
  readonly rights: () => Rights | undefined
}

export async function openPeople(
  parts: ConsentAssembly,
  { consents, store, rights }: PagesNeeds,
): Promise<People | undefined> {
  const { foundation, catalogue, newId } = parts
  const { config, database, events, vault, world } = foundation
  const { people } = config.listen
  if (people === undefined) return undefined
  const { createPeople } = await import('../people/people.ts')
  return createPeople({
    consents,
    accessLog: openAccessLog(parts, store),
    vault,
    database,
    ...world,
    newId,
    fieldsOf: (product) => catalogue.get(product)?.personal?.describe().labels ?? [],
    rights: () => {
      const service = rights()
      return service && { ...service, fields: () => fieldsAboutPeople(catalogue) }
    },
    names: namesFor(parts),
    timeZone: people.timeZone,
    holder: config.participant.name,
    url: people.url,
    endsTls: people.tls !== undefined,
    onError: (error) => (isOfStorage(error) ? events.storageFailed(error) : events.internalError(error)),
  })
}

/** Of what the node offers, and of who is known to it: the names that its operator gave. */
function namesFor({ foundation, catalogue, counterparts }: ConsentAssembly): PersonNames {
  const { identity, config } = foundation
  const named = (ids?: readonly string[]) =>
    catalogue
      .list()
      .map(({ product }) => product)
      .filter(({ id }) => ids?.includes(id) ?? true)
  const known = new WeakMap<Product, ReturnType<typeof namesOfFields>>()
  const namesOf = (product: Product) => {
    const names = known.get(product) ?? namesOfFields(product)
    known.set(product, names)
    return names
  }
  return {
    product: (id) => catalogue.get(id)?.settings.title,
    field: (path, ids) => firstName(named(ids).map((product) => namesOf(product).get(path))),
    domain: (domain, ids) => firstName(named(ids).map((product) => nameOfDomain(product, domain))),
    participant: (did) => (did === identity.did ? config.participant.name : counterparts.partners.findByDid(did)?.name),
  }
}

function firstName(names: readonly (PersonName | undefined)[]): PersonName | undefined {
  return names.find((name) => name !== undefined)
}

/** The labelled fields of all products about people, each once. */
function fieldsAboutPeople(catalogue: ConsentAssembly['catalogue']): readonly string[] {
  const labels = catalogue.list().flatMap(({ product }) => product.personal?.describe().labels ?? [])
  return [...new Set(labels.map(({ path }) => path))]
}

function isOfStorage(error: unknown): boolean {
  return error instanceof Problem && (error.code === 'record-failed' || error.code === 'storage-failed')
}
