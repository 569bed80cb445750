import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { createAdminClient } from './admin-client.ts'

/** A node that answers with these `Link` fields, one after the other. */
async function nodeWith(links: readonly (string | undefined)[]) {
  const asked: string[] = []
  const server = createServer((request, response) => {
    const link = links[asked.push(`${request.method} ${request.url}`) - 1]
    if (link !== undefined) response.setHeader('link', link)
    response.setHeader('content-type', 'application/json').end(JSON.stringify([asked.length]))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const client = createAdminClient({ address: '127.0.0.1', port, token: 'token' })
  return { asked, client, [Symbol.asyncDispose]: async () => void server.close() }
}

test('a list is read page by page until no page follows', async () => {
  await using node = await nodeWith(['</v1/things?after=1>; rel="next"', '</v1/things?after=2>; rel="next"', undefined])
  assert.deepEqual(await node.client.all('/v1/things'), [1, 2, 3])
  assert.deepEqual(node.asked, ['GET /v1/things', 'GET /v1/things?after=1', 'GET /v1/things?after=2'])
})

test('a link to another server, or of another kind, is not followed', async () => {
  for (const link of [
    '<http://evil.example/v1/x>; rel="next"',
    '<//evil.example>; rel="next"',
    '</v1/x>; rel="prev"',
  ]) {
    await using node = await nodeWith([link])
    assert.deepEqual(await node.client.all('/v1/things'), [1], link)
  }
})
