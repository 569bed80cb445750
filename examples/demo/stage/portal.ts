/** The member portal of the federation: a system that the node tells by webhook, and that brings people their links. It
 *  believes only what is signed (Standard Webhooks), verified here with the standard's own library. */
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Webhook } from 'standardwebhooks'
import { bodyOf } from './calls.ts'
import { until } from './until.ts'

/** A message of the node, verified. */
export interface Notice {
  readonly type: string
  readonly data: Readonly<Record<string, unknown>>
}

export interface MemberPortal extends AsyncDisposable {
  /** Where the node sends its messages. */
  readonly url: string
  /** What they are signed with, `whsec_…`. */
  readonly secret: string
  /** Waits for the message of this type about the consent. Throws when it does not come. */
  notice(type: string, consent: string): Promise<Notice>
}

/** Opens the portal on a free port of the loopback interface. */
export async function openPortal(): Promise<MemberPortal> {
  const secret = `whsec_${randomBytes(32).toString('base64')}`
  const webhook = new Webhook(secret)
  const received: Notice[] = []
  const server = createServer((message, response) => {
    take(message, webhook).then(
      (notice) => {
        received.push(notice)
        response.writeHead(204).end()
      },
      () => response.writeHead(401).end(),
    )
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const find = (type: string, consent: string): Notice | undefined =>
    received.find((one) => one.type === type && one.data['id'] === consent)
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hooks/comity`,
    secret,
    notice: (type, consent) => until(`the portal is told ${type}`, async () => find(type, consent)),
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}

/** Throws when the signature does not verify, or its time is not now. */
async function take(message: IncomingMessage, webhook: Webhook): Promise<Notice> {
  const headers = Object.fromEntries(Object.entries(message.headers).map(([name, value]) => [name, String(value)]))
  return webhook.verify((await bodyOf(message)).toString('utf8'), headers) as Notice
}
