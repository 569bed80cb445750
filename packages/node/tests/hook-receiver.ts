/** A receiver of webhooks as the documentation says one is written, on the SDK; it keeps what arrived. */
import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { createWebhookReceiver, type WebhookEvent } from '../../client/src/client.ts'

export interface HookReceiver extends AsyncDisposable {
  readonly url: string
  /** What was genuine, in the order in which it came. */
  readonly events: WebhookEvent[]
  /** Everything that came, as text. */
  readonly bodies: string[]
  /** Where it came, with the query. */
  readonly paths: string[]
  /** What was answered. */
  readonly statuses: number[]
  /** How often somebody has connected. */
  readonly connections: number
  /** Answered instead of handling anything, when set. */
  status: number | undefined
  onEvent: (event: WebhookEvent) => unknown
  /** The key that messages are verified by from now on; what came before is verified, too, when it comes again. */
  trust(keys: string): void
}

/** Opens one on this machine, with a TLS key where one is given. */
export async function startHookReceiver(tls?: { readonly cert: string; readonly key: string }): Promise<HookReceiver> {
  let receiver: ReturnType<typeof createWebhookReceiver> | undefined
  let isTrusted: () => void = () => undefined
  const trusted = new Promise<void>((resolve) => (isTrusted = resolve))
  const answer: RequestListener = (message, response) => {
    made.paths.push(message.url ?? '')
    const chunks: Buffer[] = []
    message.on('data', (chunk: Buffer) => chunks.push(chunk))
    message.on(
      'end',
      () =>
        void take(message.headers, Buffer.concat(chunks).toString()).then((status) => {
          made.statuses.push(status)
          response.writeHead(status).end()
        }),
    )
  }
  const server = tls === undefined ? createServer(answer) : createTlsServer(tls, answer)
  let connections = 0
  server.on('connection', () => (connections += 1))
  async function take(headers: Record<string, string | string[] | undefined>, body: string): Promise<number> {
    if (made.status !== undefined) return made.status
    made.bodies.push(body)
    await trusted
    return receiver!
      .receive({ headers: headers as Record<string, string>, body }, async (event) => {
        await made.onEvent(event)
        made.events.push(event)
      })
      .then(
        () => 204,
        () => 401,
      )
  }
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const made: HookReceiver = {
    url: `${tls === undefined ? 'http://127.0.0.1' : 'https://localhost'}:${(server.address() as AddressInfo).port}/hooks?key=clients-own`,
    get connections() {
      return connections
    },
    events: [],
    bodies: [],
    paths: [],
    statuses: [],
    status: undefined,
    onEvent: () => undefined,
    trust(keys) {
      receiver = createWebhookReceiver({ keys })
      isTrusted()
    },
    async [Symbol.asyncDispose]() {
      isTrusted()
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
  return made
}
