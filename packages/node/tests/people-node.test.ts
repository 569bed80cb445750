/** From a partner's request to a person's withdrawal, between real nodes: the webhook brings the link, the person decides
 *  on the page, the partner reads what was allowed, the person sees it with its proof and ends it. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { verifyEvidence } from '@comity/core/exchange/evidence'
import { testRequest } from '@comity/core/consent/test-consent'
import { Webhook } from 'standardwebhooks'
import { adminOf, type AdminCaller } from './admin-call.ts'
import { freePort } from './free-port.ts'
import { attribute, textOf } from './html-page.ts'
import { Browser, type Visit } from './people-scene.ts'
import { athleteReference, athletesProducts, startAthletesApi } from './personal-upstream.ts'
import { startTestNetwork } from './test-network.ts'

const research = 'https://w3id.org/dpv#ResearchAndDevelopment'
const secret = `whsec_${randomBytes(32).toString('base64')}`

/** The federation's portal: takes messages whose signature is good, and refuses the first one of all. */
async function startPortal() {
  const taken: { type: string; data: Record<string, unknown> }[] = []
  let calls = 0
  const server = createServer((message, response) => {
    const chunks: Buffer[] = []
    message.on('data', (chunk: Buffer) => chunks.push(chunk))
    message.on('end', () => {
      calls += 1
      if (calls === 1) return void response.writeHead(503).end()
      const body = Buffer.concat(chunks).toString()
      taken.push(new Webhook(secret).verify(body, plain(message.headers)) as (typeof taken)[number])
      response.writeHead(204).end()
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
    taken,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

const plain = (headers: IncomingHttpHeaders) => headers as Record<string, string>

async function eventually<T>(find: () => T | undefined | Promise<T | undefined>): Promise<T> {
  for (const deadline = Date.now() + 60_000; Date.now() < deadline;) {
    const found = await find()
    if (found !== undefined) return found
    await new Promise((resolve) => setTimeout(resolve, 25))
  }
  return assert.fail('it did not happen')
}

const boxOf = ({ page }: Visit, label: string): [string, string] => {
  const found = page.all('label').find((one) => textOf(one).trim() === label)
  const input = page.byId(attribute(found!, 'for') ?? '')
  return [attribute(input!, 'name') ?? '', attribute(input!, 'value') ?? '']
}

const post = async <T>(who: AdminCaller, path: string, body: unknown): Promise<T> => {
  const { status, json, text } = await who.call({ method: 'POST', path, body })
  assert.ok(status < 300, text)
  return json as T
}

test('a request reaches the person by webhook, and what the person allows, sees and ends holds between nodes', async () => {
  await using api = await startAthletesApi()
  await using portal = await startPortal()
  const port = await freePort()
  const pages = `http://localhost:${port}`
  await using network = await startTestNetwork({
    holder: (config, root) => {
      const products = athletesProducts(api.url, root) as Record<string, object | string>[]
      for (const product of products) {
        const names = { fields: { height: { de: 'Größe', en: 'Body height' } }, domains: { 'sport.body': 'The body' } }
        if (product['id'] !== 'athletes') continue
        product['title'] = 'Athletes of the federation'
        product['personal'] = { ...(product['personal'] as object), names }
      }
      ;(config['products'] as object[]).push(...products)
      writeFileSync(join(root, 'holder', 'whsec'), `${secret}\n`, { mode: 0o600 })
      config['webhooks'] = [{ url: portal.url, secret: { file: 'whsec' } }]
      const listen = config['listen'] as Record<string, unknown>
      listen['people'] = { url: pages, port, timeZone: 'Europe/Zurich' }
    },
  })
  const { holder, recipient } = network
  const { partners } = holder.running.parts.counterparts
  await partners.remove(recipient.did)
  const { did, url: address, fingerprint } = recipient
  const known = { alias: recipient.name, did, url: address, fingerprints: [fingerprint] }
  await partners.add({ ...known, name: 'The Lab of Sports' })
  await network.agree({ products: ['athletes'], purposes: [research] })
  const [lab, federation] = [await adminOf(recipient), await adminOf(holder)]
  const { notice, duration } = testRequest()
  const grants = [
    {
      grant: 'g1',
      effect: 'permit',
      purposes: [research],
      actions: ['read'],
      products: ['athletes'],
      domains: ['sport.body'],
    },
  ]
  const asked = { partner: 'holder', reference: athleteReference, grants, notice, duration }
  const { id } = await post<{ id: string }>(lab, '/v1/held-consents', asked)

  const { data } = await eventually(() => portal.taken.find(({ type }) => type === 'consent.requested'))
  assert.deepEqual([data['id'], data['reference']], [id, athleteReference])
  const link = String(data['link'])
  const browser = new Browser({ url: pages, listenerUrl: `http://127.0.0.1:${port}` })
  const first = await browser.open(link)
  assert.equal(first.status, 200)
  const asks = textOf(first.page.one('main')).replace(/\s+/g, ' ')
  for (const words of ['The Lab of Sports', 'Athletes of the federation athletes', 'The body sport.body']) {
    assert.ok(asks.includes(words), words)
  }
  assert.match(asks, /\(Central European (?:Summer|Standard) Time\)/)
  const fields: [string, string][] = [
    boxOf(first, 'Body height height'),
    ['grant-0', 'yes'],
    ['time', 'P7D'],
    ['act', 'grant'],
  ]
  const review = await browser.submit(first, '/c/decide', fields)
  const done = await browser.submit(review, '/c/confirm')
  assert.equal(done.path, '/c/done')
  await eventually(() => portal.taken.find((one) => one.type === 'consent.changed' && one.data['state'] === 'active'))

  const subject = await eventually(async () => {
    const { json } = await lab.call({ method: 'POST', path: `/v1/held-consents/${id}/refresh`, body: {} })
    const held = json as { state?: string; subject?: string }
    return held.state === 'active' ? held.subject : undefined
  })
  const read = () =>
    fetch(recipient.local(`/holder/athletes/athletes/${subject}`), { headers: { 'comity-purpose': research } })
  const answer = await read()
  assert.equal(answer.status, 200, await answer.clone().text())
  assert.deepEqual(await answer.json(), { height: 181 }, 'the weight was not allowed')

  const { url } = await post<{ url: string }>(federation, '/v1/subjects/link', { reference: athleteReference })
  const later = new Browser({ url: pages, listenerUrl: `http://127.0.0.1:${port}` })
  const me = await later.submit(await later.open(url), new URL(url).pathname)
  const path = `/me/consents/${id.replace('urn:uuid:', '')}`
  const one = await later.open(path)
  const [row] = one.page.all('tbody')
  const told = textOf(row ?? assert.fail('there is a use')).replace(/\s+/g, ' ')
  assert.match(told, /The Lab of Sports did:.*Athletes of the federation athletes Body height/)
  const proofPath = attribute(one.page.all('a', one.page.all('tr')[1]!)[0]!, 'href')!
  const proof = await eventually(async () => {
    const found = await later.open(proofPath)
    return found.status === 200 ? found.text : undefined
  })
  const report = verifyEvidence(JSON.parse(proof))
  assert.deepEqual(
    report.checks.filter(({ ok }) => !ok),
    [],
  )
  assert.deepEqual(report.claims?.con?.id, id)
  assert.ok(report.checks.length > 5)

  await later.submit(me, `${path}/withdraw`)
  const refused = await read()
  assert.equal(refused.status, 403)
  assert.equal(((await refused.json()) as { code: string }).code, 'consent-inactive')
  await eventually(() => portal.taken.find(({ data: change }) => change['state'] === 'withdrawn'))
  const logged = [...holder.logged, ...recipient.logged].join('\n')
  const secrets = [new URL(link).pathname.slice(3), new URL(url).pathname.slice(3), ...browser.cookies.values()]
  assert.deepEqual(
    [...secrets, secret, athleteReference].filter((word) => logged.includes(word)),
    [],
  )
})
