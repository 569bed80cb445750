/** The SDK in a real browser: a page loads its modules as they are, calls through the server that gave it the page, and
 *  reads answers, receipts and refusals. */
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { createServer, request as forward } from 'node:http'
import type { AddressInfo } from 'node:net'
import { delimiter, join } from 'node:path'
import { test } from 'node:test'
import { Problem } from '@comity/core/problems'
import { launch } from 'puppeteer-core'
import { answerJson, answerProblem, claims, startLoopbackNode, type LoopbackNode } from './loopback-node.ts'
import { browserModule, moduleGraph } from './module-graph.ts'

const root = join(import.meta.dirname, '../../..')
const modules = new Set(moduleGraph(join(root, 'packages/client/src/client.ts'), root).files)

function findChromium(): string {
  const folders = (process.env['PATH'] ?? '').split(delimiter)
  const names = ['chromium', 'chromium-browser', 'google-chrome']
  const found = folders.flatMap((folder) => names.map((name) => join(folder, name))).find((path) => existsSync(path))
  if (found === undefined) throw new Error('Chromium is not here; Debian has it as `chromium`')
  return found
}

/** The server of an application: its page, its modules, and below `/node` its own node. */
async function startApplication(node: LoopbackNode): Promise<AsyncDisposable & { readonly url: string }> {
  const server = createServer((asked, reply) => {
    const path = asked.url ?? '/'
    if (path === '/') return reply.setHeader('content-type', 'text/html').end('<!doctype html><title>app</title>')
    if (!path.startsWith('/node/')) {
      if (!modules.has(path.slice(1))) return reply.writeHead(404).end()
      return reply.setHeader('content-type', 'text/javascript').end(browserModule(join(root, path), root))
    }
    const options = { method: asked.method, headers: { ...asked.headers, host: new URL(node.url).host } }
    const onward = forward(`${node.url}${path.slice('/node'.length)}`, options, (answer) => {
      reply.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(reply)
    })
    return asked.pipe(onward)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const close = async () => void server.close().closeAllConnections()
  return { url: `http://127.0.0.1:${port}`, [Symbol.asyncDispose]: close }
}

/** Run within the page. */
const program = `async () => {
  const { createComityClient, ComityError } = await import('/packages/client/src/client.ts')
  const comity = createComityClient({ node: location.origin + '/node', purpose: 'urn:study' })
  const athletes = comity.product('federation', 'athletes')
  const read = await athletes.get('/athletes/{id}', { path: { id: 7 }, query: { lang: 'nl' } })
  const made = await athletes.post('/observations', { body: { height: 1.72 }, idempotencyKey: 'one' })
  const refused = await athletes.get('/refused').catch((error) => error)
  return {
    read: [read.status, read.data, read.receipt.claims.iss],
    made: made.data,
    refused: [refused instanceof ComityError, refused.code, refused.status],
  }
}`

test('a page in Chromium calls a partner, is answered with the receipt, and reads why it is refused', async () => {
  await using node = await startLoopbackNode(({ url, body }, reply) => {
    if (url.endsWith('/refused')) return answerProblem(reply, new Problem('agreement-purpose', 'another purpose'))
    answerJson(reply, body === '' ? { url } : { got: JSON.parse(body) as unknown })
  })
  await using application = await startApplication(node)
  const browser = await launch({
    executablePath: findChromium(),
    args: ['--no-sandbox', '--disable-dev-shm-usage', '--disable-gpu'],
  })
  try {
    const page = await browser.newPage()
    await page.goto(application.url)
    assert.deepEqual(await page.evaluate(`(${program})()`), {
      read: [200, { url: '/federation/athletes/athletes/7?lang=nl' }, claims.iss],
      made: { got: { height: 1.72 } },
      refused: [true, 'agreement-purpose', 403],
    })
  } finally {
    await browser.close()
  }
  const [read, made] = node.seen
  assert.deepEqual([read?.headers['comity-purpose'], made?.headers['idempotency-key']], ['urn:study', '"one"'])
})
