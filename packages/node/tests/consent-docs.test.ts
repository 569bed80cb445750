/** The section Wire of `docs/protocols/consent.md`: its sample is taken by a holder that has such a product, and it
 *  names problems and addresses that there are. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { parseJson } from '@comity/core/bytes/json'
import { problemKinds } from '@comity/core/problems'
import { createConsentRoutes } from '../src/consent/holder/consent-routes.ts'
import { bySubject, codeOf, lab, linkProof, openScene } from './consent-scene.ts'

const page = readFileSync(new URL('../../../docs/protocols/consent.md', import.meta.url), 'utf8')
const wire = page.slice(page.indexOf('\n## Wire\n')).split(/\n## (?!Wire)/)[0] ?? ''
const sample = parseJson(/```json\n([\s\S]*?)```/.exec(wire)?.[1] ?? '')

test('the sample request is taken and can be granted', async () => {
  await using scene = await openScene()
  const { id } = await scene.consents.requestConsent(sample, { did: lab.did })
  const draft = await scene.consents.draft(id, { grants: [{ id: 'body', fields: ['sport'] }] }, bySubject())
  assert.equal((await scene.consents.grant(draft, linkProof(draft), bySubject())).state, 'active')
})

test('every problem that the section names is one', () => {
  const named = [...wire.matchAll(/`(consent-[a-z-]+)`/g)].map(([, code]) => code ?? '')
  const events = ['consent-changed', 'consent-delegated']
  for (const code of named) assert.ok(events.includes(code) || Object.hasOwn(problemKinds, code), code)
  assert.ok(named.length > 5)
})

test('every address of the table is answered', async () => {
  await using scene = await openScene()
  const { consents, issuer, parts } = scene
  const resolveKey = (keyid: string) => parts.resolveKey(keyid, 'assertionMethod', 0)
  const admitRequest = () => ({ admitted: true, retryAfterSeconds: 0, fields: [] })
  const routes = createConsentRoutes({ consents, tokenSources: [issuer], resolveKey, admitRequest })
  const addresses = [...wire.matchAll(/^\| `(GET|POST) (\/\S+)` /gm)]
  assert.equal(addresses.length, 5)
  for (const [, method = '', path = ''] of addresses) {
    const exact = path.replace('{id}', 'urn:uuid:019ca8d7-2d00-7000-8000-0000000000ff')
    const request = { method, path: exact, header: () => 'application/json' }
    const code = await codeOf(routes(lab, { id: 'r1', request, body: Buffer.from(method === 'POST' ? '{}' : '') }))
    assert.match(code, /^consent-unknown|idempotency-key-invalid$/, `${method} ${path}`)
  }
})
