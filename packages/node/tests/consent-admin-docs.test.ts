/** The samples of `docs/operating/admin-api.md` and `consents.md` about consents are taken by the routes they are for: a
 *  request from a file, the decision on it, and what is passed on of it. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { parseConsentChain } from '@comity/core/consent-token/consent-authorization'
import { mintDelegation } from '@comity/core/consent-token/delegation'
import { parse } from 'yaml'
import type { Delegated } from '../src/admin/consent-ports.ts'
import { consentChangeRoutes } from '../src/admin/consent-change-routes.ts'
import { heldConsentRoutes } from '../src/admin/held-consent-routes.ts'
import type { AdminRoute } from '../src/admin/route.ts'
import { takePart } from '../src/consent/held/settle-delegations.ts'
import { athlete, dayMs, firm, lab, openScene, type Scene } from './consent-scene.ts'

const read = (path: string) => readFileSync(new URL(`../../../docs/operating/${path}`, import.meta.url), 'utf8')
const samples = [...read('admin-api.md').matchAll(/```json\n([\s\S]*?)```/g)].map(([, text = '']) => text)
const sampleWith = (member: string) =>
  JSON.parse(samples.find((text) => text.includes(`"${member}"`)) ?? '') as Record<string, unknown>
const file = /```yaml\n(# comity consents request [\s\S]*?)```/.exec(read('consents.md'))?.[1] ?? ''

function call(routes: readonly AdminRoute[], path: string, body: unknown): Promise<unknown> {
  const route = routes.find((one) => one.method === 'POST' && one.path === path)
  assert.ok(route)
  return Promise.resolve(route.answer({ path: path.includes('{id}') ? { id: 'id' } : {}, query: {}, body }))
}

/** The terms of the file, asked by the lab at the holder of the scene. */
async function askedByFile({ consents }: Scene): Promise<string> {
  let id = ''
  const held = {
    async ask({ request }: { readonly request: unknown }) {
      const asked = await consents.requestConsent(request, { did: lab.did })
      id = asked.id
      return asked
    },
    show: async () => ({ held: { id }, details: undefined }),
  }
  const routes = heldConsentRoutes({ held, participant: { name: 'Sports Lab' } } as never)
  await call(routes, '/v1/held-consents', { ...(parse(file) as object), partner: 'federation', reference: athlete })
  return id
}

test('the file of a request is taken, the decision grants it, and made again it changes nothing', async () => {
  await using scene = await openScene()
  const id = await askedByFile(scene)
  const routes = consentChangeRoutes(
    { consents: scene.consents, clock: { now: () => scene.world.nowMs } } as never,
    {} as never,
  )
  const expires = new Date(scene.world.nowMs + dayMs).toISOString()
  const route = routes.find(({ path }) => path === '/v1/consents/{id}/decide')
  const decide = async () =>
    (await route?.answer({ path: { id }, query: {}, body: { ...sampleWith('decision'), expires } })) as object
  const granted = await decide()
  assert.deepEqual(await decide(), { ...granted, isUnchanged: true })
  const [record] = await scene.consents.records(id)
  assert.deepEqual(record?.grants[0]?.fields?.include, ['height'])
})

test('what is passed on is a part of what was granted', async () => {
  await using scene = await openScene()
  const id = await askedByFile(scene)
  const routes = consentChangeRoutes(
    { consents: scene.consents, clock: { now: () => scene.world.nowMs } } as never,
    {} as never,
  )
  const route = routes.find(({ path }) => path === '/v1/consents/{id}/decide')
  const body = { ...sampleWith('decision'), expires: new Date(scene.world.nowMs + dayMs).toISOString() }
  await route?.answer({ path: { id }, query: {}, body })
  const parent = (await scene.issuer.tokenFor(id, { did: lab.did, jwk: lab.key.publicJwk }))?.token ?? ''
  const own = parseConsentChain(parent).links[0]?.claims.authorization_details ?? []
  const delegate = async ({ parts }: { readonly parts: readonly Parameters<typeof takePart>[0][] }) => {
    const scopes = parts.map((part) => takePart(part, own.find(({ grant }) => grant === part.grant) ?? assert.fail()))
    const nowSeconds = Math.floor(scene.world.nowMs / 1000)
    const to = { did: 'did:web:statistics.example', jwk: firm.key.publicJwk }
    const times = { createdAt: nowSeconds, expiresAt: nowSeconds + 200 }
    mintDelegation({ parent, delegate: to, delegation: 'd1', scopes, ...times, jti: 'j1' }, lab)
    const shown: Delegated = {
      id: 'd1',
      consent: id,
      holder: 'did:web:holder.example',
      delegate: firm.did,
      untilMs: scene.world.nowMs,
      createdMs: scene.world.nowMs,
      endedMs: undefined,
      endedBy: undefined,
      scopes,
      dropped: [],
    }
    return shown
  }
  const held = heldConsentRoutes({ delegations: { delegate } } as never)
  const made = (await call(held, '/v1/held-consents/{id}/delegate', sampleWith('delegate'))) as Delegated
  assert.equal(made.delegate, firm.did)
})
