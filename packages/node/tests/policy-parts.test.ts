/** Masks that name parts of labelled objects and lists, between whole nodes. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { putPolicies } from './policy-network.ts'
import { startTestNetwork, testPurpose, type TestNetwork } from './test-network.ts'

const text = { type: 'string' }
const objectOf = (...names: readonly string[]) => ({
  type: 'object',
  properties: Object.fromEntries(names.map((name) => [name, text])),
})
const schema = {
  type: 'object',
  properties: {
    name: text,
    address: objectOf('city', 'street'),
    results: { type: 'array', items: objectOf('event', 'rank') },
  },
}
const document = {
  openapi: '3.1.0',
  info: { title: 'Members', version: '1' },
  paths: {
    '/members': {
      get: {
        operationId: 'member',
        responses: { 200: { description: 'ok', content: { 'application/json': { schema } } } },
      },
    },
  },
}
const member = {
  name: 'Kim',
  address: { city: 'Porto', street: 'Rua A 1' },
  results: [
    { event: '100 m', rank: '2' },
    { event: '200 m', rank: '4' },
  ],
}

let network: TestNetwork
before(async () => {
  network = await startTestNetwork({
    holder: (config, root) => {
      const openapi = join(root, 'members.json')
      writeFileSync(openapi, JSON.stringify(document))
      const [first] = config['products'] as { upstream: string }[]
      const data = { domains: { identity: ['name', 'address'], sport: ['results'] } }
      const product = { id: 'members', class: 'partner', title: 'Members', version: '1', openapi, data }
      ;(config['products'] as object[]).push({ ...product, upstream: first?.upstream })
    },
  })
  await network.agree({ products: ['members'] })
  network.upstream.behave = (_, response) => {
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify(member))
  }
})
after(() => network[Symbol.asyncDispose]())

async function leaves(policies: string): Promise<unknown> {
  await putPolicies(network.holder, policies)
  const answer = await fetch(network.recipient.local('/holder/members/members'), {
    headers: { 'comity-purpose': testPurpose },
  })
  return answer.json()
}
const permit = (id: string, annotations: string) => `@id("${id}") ${annotations} permit (principal, action, resource);`

test('a part of a labelled object or list leaves alone, changed as the policy says', async () => {
  const city = permit('city', '@fields("address.city, results[].event")')
  const events = [{ event: '100 m' }, { event: '200 m' }]
  assert.deepEqual(await leaves(city), { address: { city: 'Porto' }, results: events })
  const masked = permit('city', '@fields("address.city") @transforms("address.city: mask 2")')
  assert.deepEqual(await leaves(masked), { address: { city: '***to' } })
  const street = permit('street', '@fields("address") @transforms("address.street: mask 3")')
  assert.deepEqual(await leaves(masked + street), { address: { city: 'Porto', street: '****A 1' } })
})
