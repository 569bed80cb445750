/** The federation of `consent-scene.ts` with its pages for people on a real listener, and a browser without scripts. */
import { randomBytes } from 'node:crypto'
import { testLabels, testRequest } from '@comity/core/consent/test-consent'
import { openListener } from '../src/http/server.ts'
import { createPeople, type People } from '../src/people/people.ts'
import { peopleSchema } from '../src/people/people-schema.ts'
import type { PersonNames, PersonUse } from '../src/people/ports.ts'
import { lab, openScene, toldToSystems } from './consent-scene.ts'
import { freePort } from './free-port.ts'
import { HtmlPage } from './html-page.ts'

export type PeopleScene = Awaited<ReturnType<typeof openPeopleScene>>

const limits = {
  headerBytes: 32_768,
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 30_000,
  keepAliveMs: 5_000,
  connections: 100,
}

/** Opens everything. The pages are at `url`, plain HTTP on this machine. */
export async function openPeopleScene(
  options: { readonly url?: string; readonly names?: Partial<PersonNames>; readonly timeZone?: string } = {},
) {
  const port = await freePort()
  const url = options.url ?? `http://localhost:${port}`
  const made: People[] = []
  const pages = (): People => made[0] as People
  const scene = await openScene({
    links: { create: ({ consent, lifetimeMs }) => pages().links.create({ purpose: 'decide', consent, lifetimeMs }) },
    passkeyFacts: (proof, consent) => pages().passkeyFacts(proof, consent.subject),
  })
  await scene.database.execute(peopleSchema.map((sql) => ({ sql })))
  const uses: PersonUse[] = []
  const errors: unknown[] = []
  const people = createPeople({
    ...scene,
    accessLog: {
      list: async ({ consent }) => uses.filter((use) => consent === undefined || use.consent === consent),
      find: async (exchange) => uses.find((use) => use.exchange === exchange),
      erasedMs: async () => undefined,
      proof: async (exchange) => ({ exchange, proof: 'a proof' }),
    },
    clock: { now: () => scene.world.nowMs },
    randomBytes,
    newId: scene.parts.newId,
    fieldsOf: (product) => (product === 'athletes' ? testLabels : []),
    names: {
      product: () => undefined,
      field: () => undefined,
      domain: () => undefined,
      participant: () => undefined,
      ...options.names,
    },
    timeZone: options.timeZone,
    holder: 'Sports Federation',
    url,
    endsTls: false,
    onError: (error) => errors.push(error),
  })
  made.push(people)
  const listener = await openListener({
    address: '127.0.0.1',
    port,
    asksForClientCertificate: false,
    limits,
    handle: people.handle,
    requestId: scene.parts.newId,
    onRefusedConnection: () => undefined,
  })
  return {
    ...scene,
    people,
    url,
    /** Where the listener is, whatever people call it. */
    listenerUrl: `http://127.0.0.1:${port}`,
    uses,
    errors,
    async [Symbol.asyncDispose]() {
      await listener.drain(0)
      await scene[Symbol.asyncDispose]()
    },
  }
}

/** A request of the lab, and the link that the holder's systems were told for it. */
export async function asked(
  scene: PeopleScene,
  members: Parameters<typeof testRequest>[0] = {},
): Promise<{ readonly id: string; readonly link: string }> {
  const { id } = await scene.consents.requestConsent(testRequest(members), { did: lab.did })
  const told = await toldToSystems(scene)
  const link = told.findLast(({ data }) => data['id'] === id)?.data['link']
  return { id, link: String(link) }
}

export interface Visit {
  readonly status: number
  readonly headers: Headers
  readonly page: HtmlPage
  readonly text: string
  /** Path of the page that was shown in the end. */
  readonly path: string
}

/** A browser without scripts: keeps cookies, follows redirects, sends forms as pages write them. */
export class Browser {
  readonly #scene: Pick<PeopleScene, 'listenerUrl' | 'url'>
  readonly #headers: Readonly<Record<string, string>>
  readonly cookies = new Map<string, string>()

  constructor(scene: Pick<PeopleScene, 'listenerUrl' | 'url'>, headers: Readonly<Record<string, string>> = {}) {
    this.#scene = scene
    this.#headers = headers
  }

  /** Opens an address or a path. */
  open(address: string): Promise<Visit> {
    return this.#visit('GET', address)
  }

  /** Sends the form that has the action; `pressed` is the button. */
  async submit(visit: Visit, action: string, fields: readonly (readonly [string, string])[] = []): Promise<Visit> {
    const form = visit.page.form(action)
    return this.post(action, [...form.hidden, ...fields])
  }

  async post(
    path: string,
    fields: readonly (readonly [string, string])[],
    headers: Readonly<Record<string, string>> = { origin: 'null', 'sec-fetch-site': 'same-origin' },
  ): Promise<Visit> {
    const body = new URLSearchParams(fields.map(([name, value]) => [name, value]))
    return this.#visit('POST', path, { body, headers })
  }

  async #visit(
    method: string,
    address: string,
    sent: { readonly body?: URLSearchParams; readonly headers?: Readonly<Record<string, string>> } = {},
  ): Promise<Visit> {
    const path = address.replace(this.#scene.url, '')
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const answer = await fetch(`${this.#scene.listenerUrl}${path}`, {
      method,
      redirect: 'manual',
      headers: { ...this.#headers, ...sent.headers, ...(cookie !== '' && { cookie }) },
      ...(sent.body !== undefined && { body: sent.body }),
    })
    this.#keep(answer.headers.getSetCookie())
    const location = answer.headers.get('location')
    const text = await answer.text()
    if (answer.status === 303 && location !== null) return this.#visit('GET', location)
    return { status: answer.status, headers: answer.headers, page: new HtmlPage(text), text, path }
  }

  #keep(fields: readonly string[]): void {
    for (const field of fields) {
      const [pair = ''] = field.split(';')
      const [name = '', value = ''] = pair.split('=')
      if (/max-age=0/i.test(field)) this.cookies.delete(name)
      else this.cookies.set(name, value)
    }
  }
}
