/** Consent, loaded when it is first needed: a quarter of the node's code, which a node that neither offers nor holds
 *  anything about people never needs. */
import { createConsentStore } from '../consent/holder/consent-store-sql.ts'
import { createHeldStore } from '../consent/held/held-store-sql.ts'
import type { TokenSource } from '../consent/holder/issue-token.ts'
import type { Duties } from '../duties/duties.ts'
import type { Webhooks } from '../webhooks/webhooks.ts'
import type { Database } from '../storage/database.ts'
import type { Consent, ConsentAssembly } from './consent.ts'
import type { Held } from './held.ts'
import { consentEvents } from './consent-events.ts'
import { loadLater } from './load-later.ts'

/** Consent as the other parts of the node see it: what ends up in a transaction of its own services' is theirs alone. */
export interface ConsentOfNode extends Omit<Consent, 'duties' | 'rights'> {
  readonly duties: Omit<Duties, 'impose'>
  readonly rights: Omit<Consent['rights'], 'deleteSubject'>
}

/** Rows in one of them are to be looked after from the start. */
const tables = ['consents', 'held_consents', 'duties', 'rights_requests'] as const

/** Opens it at once where it is in use by configuration, catalogue or database; else with the first call, event or
 *  command that needs it. What it then opens ends with `stack`. */
export async function openConsentWhenNeeded(
  parts: ConsentAssembly,
  stack: AsyncDisposableStack,
): Promise<ConsentOfNode> {
  if (!(await isInUse(parts))) return lateConsent(parts, stack.use(new AsyncDisposableStack()))
  const { openConsent } = await import('./consent.ts')
  return openConsent(parts, stack)
}

async function isInUse({ foundation, catalogue }: ConsentAssembly): Promise<boolean> {
  const { config, database } = foundation
  if (config.listen.people !== undefined || config.webhooks.length > 0) return true
  if (catalogue.list().some(({ product }) => product.productClass === 'personal')) return true
  return hasRows(database)
}

async function hasRows(database: Database): Promise<boolean> {
  for (const table of tables) if ((await database.get(`SELECT 1 FROM ${table} LIMIT 1`)) !== undefined) return true
  return false
}

/** Loads it once; `loaded` is undefined until then. */
class Loading {
  readonly #open: () => Promise<Consent>
  #loading: Promise<Consent> | undefined
  loaded: Consent | undefined

  constructor(open: () => Promise<Consent>) {
    this.#open = open
  }

  async load(): Promise<Consent> {
    this.#loading ??= this.#open()
    try {
      return (this.loaded = await this.#loading)
    } catch (error) {
      this.#loading = undefined
      throw error
    }
  }
}

/** Until it is loaded there is nothing to tend or to forget: no rows, no pages. */
function lateConsent(parts: ConsentAssembly, stack: AsyncDisposableStack): ConsentOfNode {
  const late = new Loading(async () => (await import('./consent.ts')).openConsent(parts, stack))
  const { database } = parts.foundation
  handleLater(parts, late)
  const before = untilLoaded(late, { database, webhooks: parts.webhooks })
  const names = Object.keys(before) as (keyof ConsentOfNode)[]
  const members = names.map((name) => [name, { enumerable: true, get: () => (late.loaded ?? before)[name] }] as const)
  return Object.defineProperties({}, Object.fromEntries(members)) as ConsentOfNode
}

function untilLoaded(
  late: Loading,
  { database, webhooks }: { readonly database: Database; readonly webhooks: Webhooks },
): ConsentOfNode {
  return {
    webhooks,
    statusLists: loadLater(async () => (await late.load()).statusLists, {
      set(...given) {
        if (late.loaded === undefined) throw new Error('a status was set before one was allocated')
        return late.loaded.statusLists.set(...given)
      },
    }),
    store: createConsentStore(database),
    consents: loadLater(async () => (await late.load()).consents, {
      expireDue: async () => late.loaded?.consents.expireDue(),
      forgetLapsed: async () => (await late.loaded?.consents.forgetLapsed()) ?? [],
    }),
    check: loadLater(async () => (await late.load()).check, {}),
    tokenSources: [{ tokenFor: (...given) => tokenFor(late, ...given) }],
    held: lateHeld(late, database),
    duties: loadLater<ConsentOfNode['duties']>(async () => (await late.load()).duties, {
      tellOverdue: async () => late.loaded?.duties.tellOverdue(),
    }),
    rights: loadLater<ConsentOfNode['rights']>(async () => (await late.load()).rights, {
      settle: async () => late.loaded?.rights.settle(),
    }),
    eraseSubject: async (...given) => (await late.load()).eraseSubject(...given),
    people: undefined,
  }
}

/** The handlers that are set here give way to those of the services. */
function handleLater({ counterparts: { handlers } }: ConsentAssembly, late: Loading): void {
  for (const type of consentEvents) {
    handlers.set(type, async (event) => {
      await late.load()
      return (await handlers.get(type)?.(event)) ?? []
    })
  }
}

async function tokenFor(late: Loading, ...given: Parameters<TokenSource['tokenFor']>) {
  for (const source of (await late.load()).tokenSources) {
    const issued = await source.tokenFor(...given)
    if (issued !== undefined) return issued
  }
  return undefined
}

function lateHeld(late: Loading, database: Database): Held {
  const held = async () => (await late.load()).held
  return {
    store: createHeldStore(database),
    consents: loadLater(async () => (await held()).consents, {}),
    delegations: loadLater(async () => (await held()).delegations, {}),
    templates: loadLater(async () => (await held()).templates, {}),
    events: loadLater(async () => (await held()).events, {}),
    tokenSource: loadLater(async () => (await held()).tokenSource, {}),
    keeper: loadLater(async () => (await held()).keeper, { drop: (id) => late.loaded?.held.keeper.drop(id) }),
    attach: {
      async attach(call) {
        const isAboutNobody = call.named === undefined && call.subject === undefined
        return isAboutNobody ? undefined : (await held()).attach.attach(call)
      },
    },
  }
}
