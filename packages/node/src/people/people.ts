/** The people's listener: decision pages, a person's own consents, and the links that lead there. */
import type { IncomingMessage } from 'node:http'
import type { ConsentGrantor, WebAuthnProof } from '@comity/core/consent/consent-record'
import { Problem } from '@comity/core/problems'
import { asProblem, problemReply, textReply, type Reply } from '../http/problem-response.ts'
import { changeByApi, ownAccessLog, ownConsent, ownConsents, ownSession, ownUses, useProof } from './api-routes.ts'
import { assetReply } from './assets.ts'
import {
  confirm,
  decide,
  enterByLink,
  nextPasskeyStep,
  openLink,
  registerPasskey,
  showChoice,
  showReview,
  showState,
} from './decide-routes.ts'
import { createGuessLimit } from './guess-limit.ts'
import { pageLanguage, preferredLanguages } from './language.ts'
import { createLinks, type CreatedLink, type Links } from './links.ts'
import { changeConsent, logOut, showConsent, showOwn } from './me-routes.ts'
import { pageReply, safetyFields } from './page.ts'
import { createPasskeys, type Passkeys } from './passkeys.ts'
import { readCall, type PersonCall } from './people-call.ts'
import type { PeopleParts, PeopleServices } from './people-parts.ts'
import { createPeopleStore } from './people-store-sql.ts'
import { problemPage } from './problem-page.ts'
import { rightsRoutes } from './rights-routes.ts'
import { createSessions, sessionIdleMs } from './sessions.ts'
import type { Statement } from '../storage/database.ts'

export interface People {
  /** Answers a request to the listener. Never rejects. */
  handle(message: IncomingMessage): Promise<Reply>
  readonly links: Links
  /** What a passkey's proof must say (`ProofFacts.passkey`); undefined for one that is not the subject's. */
  passkeyFacts(proof: WebAuthnProof, subject: string): ReturnType<Passkeys['facts']>
  /** A link to all consents of a person, by the reference that the holder's systems use. Says nothing of whether there
   *  is such a person. */
  createManageLink(reference: string): Promise<CreatedLink>
  /** A link to decide on a request, for a representative where one is named. Throws `consent-unknown`. */
  createDecideLink(consent: string, grantor?: ConsentGrantor): Promise<CreatedLink>
  /** The writes that take away everything the pages keep of a subject (handle). */
  deleteSubject(subject: string): Statement[]
  /** Forgets links and sessions that are over. */
  prune(): Promise<void>
}

/** Ended links and sessions are kept so long, so that an old page gets the right answer. */
const keepEndedMs = 86_400_000

export function createPeople(parts: PeopleParts): People {
  const store = createPeopleStore(parts.database)
  const services: PeopleServices = {
    ...parts,
    store,
    links: createLinks({ ...parts, store }),
    sessions: createSessions({ ...parts, store }),
    passkeys: createPasskeys({ ...parts, store }),
    guesses: createGuessLimit(parts.clock),
  }
  const { links, passkeys } = services
  const keep = async (link: CreatedLink): Promise<CreatedLink> => {
    await parts.database.execute(link.statements)
    return link
  }
  return {
    handle: (message) => handle(services, message),
    links,
    passkeyFacts: (proof, subject) => passkeys.facts(proof, subject),
    createManageLink: (reference) =>
      keep(links.create({ purpose: 'manage', subject: parts.vault.handleOf(reference) })),
    async createDecideLink(consent, who) {
      const found = await parts.consents.find(consent)
      if (found === undefined) throw new Problem('consent-unknown', 'there is no such consent')
      if (who === undefined) return keep(links.create({ purpose: 'decide', consent }))
      const key = await parts.vault.open(found.subject)
      return keep(links.create({ purpose: 'decide', consent, grantor: { who, key } }))
    },
    deleteSubject: (subject) => store.deleteSubject(subject),
    async prune() {
      const beforeMs = parts.clock.now() - keepEndedMs
      await store.prune({ expiredMs: beforeMs, seenMs: beforeMs - sessionIdleMs })
    },
  }
}

async function handle(services: PeopleServices, message: IncomingMessage): Promise<Reply> {
  const safety = safetyFields(services.url.startsWith('https:'))
  const reply = await answer(services, message)
  return { ...reply, headers: [...reply.headers, ...safety] }
}

async function answer(services: PeopleServices, message: IncomingMessage): Promise<Reply> {
  let call: PersonCall | undefined
  try {
    call = await readCall(message, services)
    return await route(services, call)
  } catch (error) {
    return refusal(services, { error, call, message })
  }
}

/** Programs get the problem as JSON, people a page in their language. */
function refusal(
  { newId, onError, timeZone }: PeopleServices,
  failure: { readonly error: unknown; readonly call: PersonCall | undefined; readonly message: IncomingMessage },
): Reply {
  const { error, call, message } = failure
  const problem = asProblem(error)
  if (problem.status >= 500) onError(error)
  const reply = problemReply(problem, newId())
  if (/^\/(?:v1|c\/passkey|rights)\//.test(message.url ?? '')) return withoutCaching(reply)
  const { requestId } = JSON.parse(new TextDecoder().decode(reply.body)) as { requestId: string }
  const language =
    call?.language ?? pageLanguage(preferredLanguages(undefined, message.headers['accept-language']), timeZone)
  const action = reply.headers.flatMap((text, index, all) =>
    index % 2 === 0 && (text === 'retry-after' || text === 'allow') ? [text, all[index + 1] ?? ''] : [],
  )
  return pageReply(problem.status, problemPage(problem, requestId, language), action)
}

/** The safety fields say it already. */
function withoutCaching(reply: Reply): Reply {
  const headers = reply.headers.filter((_, index, all) => all[index - (index % 2)] !== 'cache-control')
  return { ...reply, headers }
}

type Route = (services: PeopleServices, call: PersonCall, parameters: readonly string[]) => Promise<Reply>

const uuid = '([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})'
const consentId = `(urn:uuid:${uuid.slice(1, -1)})`

const routes: readonly (readonly [method: 'GET' | 'POST' | 'DELETE', path: RegExp, route: Route])[] = [
  ['GET', /^\/healthz$/, async () => textReply(200, 'ok\n')],
  ['GET', /^\/assets\/([a-z.]+)$/, (_services, _call, [name = '']) => assetReply(name)],
  ['GET', /^\/c$/, showChoice],
  ['POST', /^\/c\/decide$/, decide],
  ['GET', /^\/c\/review$/, showReview],
  ['POST', /^\/c\/confirm$/, confirm],
  ['GET', /^\/c\/done$/, showState],
  ['POST', /^\/c\/passkey\/next$/, nextPasskeyStep],
  ['POST', /^\/c\/passkey\/register$/, registerPasskey],
  ['GET', /^\/c\/([^/]+)$/, (services, call, [secret = '']) => openLink(services, call, secret)],
  ['POST', /^\/c\/([^/]+)$/, (services, call, [secret = '']) => enterByLink(services, call, secret)],
  ['GET', /^\/me$/, showOwn],
  ['POST', /^\/me\/logout$/, logOut],
  ['GET', new RegExp(`^/me/consents/${uuid}$`), (services, call, [id = '']) => showConsent(services, call, id)],
  [
    'POST',
    new RegExp(`^/me/consents/${uuid}/(pause|resume|withdraw)$`),
    (services, call, [id = '', step]) => changeConsent(services, call, { uuid: id, step: step as 'pause' }),
  ],
  ...rightsRoutes,
  ['GET', /^\/v1\/me$/, ownSession],
  ['GET', /^\/v1\/me\/consents$/, ownConsents],
  ['GET', new RegExp(`^/v1/me/consents/${consentId}$`), (services, call, [id = '']) => ownConsent(services, call, id)],
  [
    'POST',
    new RegExp(`^/v1/me/consents/${consentId}:(pause|resume|withdraw)$`),
    (services, call, [id = '', step]) => changeByApi(services, call, { id, step: step as 'pause' }),
  ],
  [
    'GET',
    new RegExp(`^/v1/me/consents/${consentId}/uses$`),
    (services, call, [id = '']) => ownUses(services, call, id),
  ],
  ['GET', /^\/v1\/me\/access-log$/, ownAccessLog],
  [
    'GET',
    /^\/v1\/me\/access-log\/([A-Za-z0-9:._-]{1,100})\/proof$/,
    (services, call, [exchange = '']) => useProof(services, call, exchange),
  ],
]

/** Throws `not-found`, `method-not-allowed`. */
async function route(services: PeopleServices, call: PersonCall): Promise<Reply> {
  const { method, path } = call.request
  const wanted = method === 'HEAD' ? 'GET' : method
  const there = routes.filter(([, pattern]) => pattern.test(path))
  const found = there.find(([candidate]) => candidate === wanted)
  if (found === undefined) {
    if (there.length === 0) throw new Problem('not-found', 'there is no such page')
    const allow = [...new Set(there.flatMap(([candidate]) => (candidate === 'GET' ? ['GET', 'HEAD'] : [candidate])))]
    throw new Problem('method-not-allowed', 'this address is not there with this method', { members: { allow } })
  }
  return found[2](services, call, found[1].exec(path)?.slice(1) ?? [])
}
