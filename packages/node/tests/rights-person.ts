/** A person at the holder's pages with a session of their own, by page and by program; what the holder's systems and
 *  the other participants answer, over the operators' APIs. */
import assert from 'node:assert/strict'
import type { DutyView, RightsRequestView } from '../src/admin/rights-api.ts'
import { browserAt, operate, until, type ConsentNetwork } from './consent-network.ts'
import type { Browser } from './people-scene.ts'
import { athleteReference } from './personal-upstream.ts'
import type { TestNode } from './test-network.ts'

export interface ApiAnswer {
  readonly status: number
  readonly headers: Headers
  readonly json: Record<string, unknown>
}

export interface Sent {
  /** As JSON. */
  readonly body?: unknown
  readonly headers?: Record<string, string>
}

export interface Person {
  readonly browser: Browser
  /** A call of a program with the person's session. */
  call(method: string, path: string, sent?: Sent): Promise<ApiAnswer>
  /** Asks, and gives the request's id. */
  ask(request: Record<string, unknown>): Promise<string>
}

/** Opens a link to all that is the person's. */
export async function personAt(network: ConsentNetwork, reference: string = athleteReference): Promise<Person> {
  const { url } = await operate<{ url: string }>(network.holder, '/v1/subjects/link', { reference })
  const browser = browserAt(network)
  const me = await browser.submit(await browser.open(url), new URL(url).pathname)
  assert.equal(me.path, '/me', me.page.text)
  const call: Person['call'] = async (method, path, { body, headers = {} } = {}) => {
    const answer = await fetch(`http://127.0.0.1:${network.holder.running.ports.people}${path}`, {
      method,
      headers: {
        cookie: [...browser.cookies].map(([name, value]) => `${name}=${value}`).join('; '),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    return { status: answer.status, headers: answer.headers, json: (await answer.json()) as Record<string, unknown> }
  }
  return {
    browser,
    call,
    async ask(request) {
      const answer = await call('POST', '/rights/requests', { body: request, headers: await formOf(call) })
      assert.equal(answer.status, 202, JSON.stringify(answer.json))
      return String(answer.json['id'])
    },
  }
}

/** The field that changes need. */
export async function formOf(call: Person['call']): Promise<Record<string, string>> {
  return { 'comity-form': String((await call('GET', '/v1/me')).json['form']) }
}

export const requestAt = (network: ConsentNetwork, id: string): Promise<RightsRequestView> =>
  operate(network.holder, `/v1/rights/requests/${id}`)

/** What a system of the holder says it did. */
export function reportStore(
  network: ConsentNetwork,
  id: string,
  report: { readonly product: string; readonly state: 'done' | 'refused'; readonly [more: string]: unknown },
): Promise<RightsRequestView> {
  return operate(network.holder, `/v1/rights/requests/${id}/report`, report)
}

/** What a node owes, once its own system was told of it. */
export async function owedAt(
  network: ConsentNetwork,
  { node, kind, request }: { readonly node: TestNode; readonly kind: string; readonly request?: string },
): Promise<DutyView> {
  return until(`${kind} at ${node.name}`, async () => {
    const duties = await operate<DutyView[]>(node, '/v1/duties?side=owed&state=open')
    const imposed = await operate<DutyView[]>(network.holder, '/v1/duties?side=imposed')
    const ofRequest = imposed.filter((duty) => request === undefined || duty.request?.startsWith(request))
    return duties.find((duty) => duty.kind === kind && ofRequest.some(({ id }) => id === duty.id))
  })
}

/** The node says that it did what it owed; the holder has the receipt when this resolves. */
export async function fulfil(
  node: TestNode,
  network: ConsentNetwork,
  { duty, ...report }: { readonly duty: string; readonly outcome: string; readonly ground?: string },
): Promise<DutyView> {
  await operate(node, `/v1/duties/${duty}/report`, report)
  return until('the receipt', async () => {
    const known = await operate<DutyView>(network.holder, `/v1/duties/${duty}`)
    return known.state === 'open' ? undefined : known
  })
}

/** Waits until the request is closed; so long the clock runs on beyond the last use that may still be written. */
export async function untilClosed(network: ConsentNetwork, id: string): Promise<RightsRequestView> {
  network.clock.offsetMs += 3_000
  return until('closed', async () => {
    await network.holder.running.parts.consent.rights.settle()
    const request = await requestAt(network, id)
    return request.closed === undefined ? undefined : request
  })
}
