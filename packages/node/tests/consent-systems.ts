/** An organisation's own system, as its node's webhook reaches it: verifies every message with an independent
 *  implementation of Standard Webhooks, and keeps what it was told. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Webhook } from 'standardwebhooks'

export interface HeardMessage {
  readonly type: string
  readonly data: Readonly<Record<string, unknown>>
}

export interface OwnSystem extends AsyncDisposable {
  readonly url: string
  /** Newest last. */
  readonly heard: HeardMessage[]
  /** Messages that no receiver should take. */
  readonly refused: string[]
}

const asText = (field: string | string[] | undefined): string => String(field ?? '')

/** The package holds a message to the real time; while the clock is turned, its signature alone is compared. */
function verify(webhook: Webhook, message: IncomingMessage, body: string): void {
  const id = asText(message.headers['webhook-id'])
  const timestamp = asText(message.headers['webhook-timestamp'])
  const signature = asText(message.headers['webhook-signature'])
  const headers = { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signature }
  if (Math.abs(Number(timestamp) * 1_000 - Date.now()) < 240_000) webhook.verify(body, headers)
  else assert.ok(signature.split(' ').includes(webhook.sign(id, new Date(Number(timestamp) * 1_000), body)))
}

/** Listens for the messages that are signed with the secret (`whsec_…`). */
export async function startOwnSystem(secret: string): Promise<OwnSystem> {
  const webhook = new Webhook(secret)
  const heard: HeardMessage[] = []
  const refused: string[] = []
  const server = createServer((message, response) => {
    const chunks: Buffer[] = []
    message.on('data', (chunk: Buffer) => chunks.push(chunk))
    message.on('end', () => {
      const body = Buffer.concat(chunks).toString('utf8')
      try {
        verify(webhook, message, body)
        heard.push(JSON.parse(body) as HeardMessage)
        response.writeHead(204).end()
      } catch (error) {
        refused.push(String(error))
        response.writeHead(401).end()
      }
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hooks`,
    heard,
    refused,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
