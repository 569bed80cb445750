/** HTTP calls as an application, a browser or a thief would make them, and what a refused caller reads. */
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import type { TLSSocket } from 'node:tls'
import { spkiFingerprint } from '@comity/node/http/spki-fingerprint'

export interface Answer {
  readonly status: number
  /** By lower-case name. */
  readonly headers: ReadonlyMap<string, string>
  readonly body: Buffer
}

export interface Call {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Uint8Array | string
  /** The server must hold this TLS key, `sha256:…`; its certificate means nothing. */
  readonly fingerprint?: string
}

const timeoutMs = 20_000

/** Calls a URL over a connection of its own. Throws when there is no answer. */
export function call(url: string, { method = 'GET', headers = {}, body, fingerprint }: Call = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const options = { method, headers, agent: false, timeout: timeoutMs }
    const isTls = url.startsWith('https:')
    const outgoing = isTls
      ? httpsRequest(url, { ...options, rejectUnauthorized: false, minVersion: 'TLSv1.3' })
      : httpRequest(url, options)
    outgoing.on('response', (answer) => {
      if (isTls && fingerprint !== undefined && keyOf(answer) !== fingerprint) {
        outgoing.destroy(new Error(`${url} is served with another TLS key`))
      } else collect(answer).then(resolve, reject)
    })
    outgoing.on('timeout', () => outgoing.destroy(new Error(`${url} did not answer in time`)))
    outgoing.on('error', reject)
    outgoing.end(body)
  })
}

function keyOf({ socket }: IncomingMessage): string {
  return spkiFingerprint((socket as TLSSocket).getPeerCertificate().raw)
}

async function collect(message: IncomingMessage): Promise<Answer> {
  const headers = new Map<string, string>()
  for (const [name, value] of Object.entries(message.headers)) headers.set(name, String(value))
  return { status: message.statusCode ?? 0, headers, body: await bodyOf(message) }
}

/** The whole content of a message. */
export async function bodyOf(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of message) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

/** The answer's JSON value. Throws unless the status is the expected one. */
export function expectJson<T>({ status, body }: Answer, expected = 200): T {
  const text = body.toString('utf8')
  if (status === expected) return JSON.parse(text) as T
  throw new Error(`expected ${expected}, got ${describe({ status, body })}`)
}

/** What a refused caller reads, when it is the refusal that was expected. Throws when it is anything else. */
export function expectRefusal(
  answer: Pick<Answer, 'status' | 'body'>,
  expected: { readonly status: number; readonly code: string },
): { detail: string; note: string; value: undefined } {
  const { status, code, title, detail, advice } = problemOf(answer)
  if (status === expected.status && code === expected.code) {
    return { detail: `${status} ${code}`, note: `${title}: ${advice || detail}`, value: undefined }
  }
  throw new Error(`expected a refusal with ${expected.status} ${expected.code}, got ${describe(answer)}`)
}

function problemOf({ status, body }: Pick<Answer, 'status' | 'body'>) {
  let document: Record<string, unknown> = {}
  try {
    document = JSON.parse(body.toString('utf8')) as Record<string, unknown>
  } catch {
    // Told by its status alone.
  }
  const text = (name: string) => (typeof document[name] === 'string' ? document[name] : '')
  // Several policies may have something to say.
  const advice = Array.isArray(document['advice']) ? document['advice'].join(' ') : text('advice')
  return { status, code: text('code'), title: text('title'), detail: text('detail'), advice }
}

/** Status and, of a problem, code and sentence; never the data of an answer. */
function describe(answer: Pick<Answer, 'status' | 'body'>): string {
  const { status, code, detail } = problemOf(answer)
  return code === '' ? `${status}` : `${status} ${code}: ${detail}`
}
