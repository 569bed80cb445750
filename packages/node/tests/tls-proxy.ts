/** What stands in front of many nodes: it ends TLS with the node's own key and hands everything on. Like a careless or
 *  curious one it keeps all that passes, and it can change what it hands on. */
import { once } from 'node:events'
import type { IncomingMessage, RequestOptions, ServerResponse } from 'node:http'
import { Agent, createServer, request } from 'node:https'

/** One message as it passed, in clear. */
export interface SeenMessage {
  readonly line: string
  readonly headers: readonly string[]
  readonly body: Buffer
}

export interface TlsProxy extends AsyncDisposable {
  /** Every request and answer, oldest first. */
  readonly seen: SeenMessage[]
  /** All of it as one text. */
  text(): string
  /** Changes a request or an answer on its way; gives back what is handed on. */
  change: ((message: SeenMessage, direction: 'request' | 'answer') => SeenMessage) | undefined
}

async function bodyOf(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of message) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

function withLength({ headers, body }: SeenMessage): string[] {
  const kept: string[] = []
  for (let index = 0; index < headers.length; index += 2) {
    const [name = '', value = ''] = headers.slice(index, index + 2)
    if (!/^(content-length|transfer-encoding|connection|keep-alive)$/i.test(name)) kept.push(name, value)
  }
  return body.length === 0 ? kept : [...kept, 'content-length', String(body.length)]
}

/** Listens on `port` with the TLS key `tls` and hands on to the node on `target`. */
export async function startTlsProxy(options: {
  readonly port: number
  readonly target: number
  readonly tls: { readonly cert: string; readonly key: string }
}): Promise<TlsProxy> {
  const seen: SeenMessage[] = []
  // The node behind it shows its own certificate, which the proxy has no reason to check.
  const agent = new Agent({ keepAlive: true, rejectUnauthorized: false })
  const pass = (message: SeenMessage, direction: 'request' | 'answer'): SeenMessage => {
    seen.push(message)
    return proxy.change?.(message, direction) ?? message
  }
  const handle = async (message: IncomingMessage, response: ServerResponse): Promise<void> => {
    const line = `${message.method} ${message.url}`
    const passed = pass({ line, headers: message.rawHeaders, body: await bodyOf(message) }, 'request')
    const onward: RequestOptions = {
      agent,
      host: '127.0.0.1',
      port: options.target,
      method: message.method ?? 'GET',
      path: message.url ?? '/',
      headers: withLength(passed),
    }
    const sent = request(onward)
    sent.end(passed.body)
    const [answer] = (await once(sent, 'response')) as [IncomingMessage]
    const back = { line: String(answer.statusCode), headers: answer.rawHeaders, body: await bodyOf(answer) }
    const handed = pass(back, 'answer')
    response.writeHead(answer.statusCode ?? 502, withLength(handed))
    response.end(handed.body)
  }
  const server = createServer({ ...options.tls, minVersion: 'TLSv1.3' }, (message, response) => {
    handle(message, response).catch(() => response.destroy())
  })
  server.listen(options.port, '127.0.0.1')
  await once(server, 'listening')
  const proxy: TlsProxy = {
    seen,
    text: () =>
      seen.map(({ line, headers, body }) => [line, ...headers, body.toString('latin1')].join('\n')).join('\n'),
    change: undefined,
    async [Symbol.asyncDispose]() {
      agent.destroy()
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
  return proxy
}
