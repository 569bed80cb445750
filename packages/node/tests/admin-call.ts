/** Calls a test node's admin listener, as it comes and as no client would. */
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { request, type IncomingHttpHeaders, type IncomingMessage, type OutgoingHttpHeaders } from 'node:http'
import { connect } from 'node:net'
import { join } from 'node:path'
import { judgeAnswer } from './admin-answers.ts'
import type { TestNode } from './test-network.ts'

export interface AdminAnswer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
  /** The body as JSON; undefined when there is none. */
  readonly json: unknown
}

export interface AdminQuestion {
  readonly method?: string
  readonly path: string
  /** Sent as JSON. */
  readonly body?: unknown
  /** Sent as it is, in place of `body`. */
  readonly rawBody?: string | Uint8Array
  /** Over those that a client sends; undefined leaves one out. */
  readonly headers?: Readonly<Record<string, string | undefined>>
  /** The test broke the node beneath: a fault is what it must answer. */
  readonly isBroken?: true
}

export interface AdminCaller {
  readonly token: string
  call(question: AdminQuestion): Promise<AdminAnswer>
  /** Sends bytes on a bare connection and gives what comes back. */
  raw(text: string): Promise<string>
}

export async function adminOf(node: TestNode): Promise<AdminCaller> {
  const token = (await readFile(join(node.directory, 'keys', 'admin.token'), 'utf8')).trim()
  return {
    token,
    call: (question) => send(node.running.ports.admin, token, question),
    raw: (text) => sendRaw(node.running.ports.admin, text),
  }
}

async function send(port: number, token: string, question: AdminQuestion): Promise<AdminAnswer> {
  const { method = 'GET', path, body, rawBody = body === undefined ? undefined : JSON.stringify(body) } = question
  const usual = {
    authorization: `Bearer ${token}`,
    ...(rawBody === undefined
      ? {}
      : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(rawBody) }),
  }
  const headers = Object.fromEntries(
    Object.entries<string | number | undefined>({ ...usual, ...question.headers }).filter(
      ([, value]) => value !== undefined,
    ),
  ) as OutgoingHttpHeaders
  const outgoing = request({ host: '127.0.0.1', port, method, path, headers, agent: false })
  // A body that is refused by its length is not read to its end.
  outgoing.on('error', () => {})
  outgoing.end(rawBody)
  const [answer] = (await once(outgoing, 'response')) as [IncomingMessage]
  let text = ''
  for await (const chunk of answer.setEncoding('utf8')) text += String(chunk)
  const isJson = answer.headers['content-type']?.includes('json') === true && text !== ''
  const json = isJson ? (JSON.parse(text) as unknown) : undefined
  const answered = { status: answer.statusCode ?? 0, headers: answer.headers, text, json }
  judgeAnswer(method, path, { ...answered, isBroken: question.isBroken })
  return answered
}

async function sendRaw(port: number, text: string): Promise<string> {
  const socket = connect({ host: '127.0.0.1', port })
  socket.end(text)
  let answer = ''
  socket.on('data', (data) => (answer += data.toString('utf8')))
  socket.on('error', () => {})
  await once(socket, 'close')
  return answer
}
