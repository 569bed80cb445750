/** Talks to a running node's admin listener on this machine, with the token that `comity init` wrote. */
import { request } from 'node:http'
import { Problem, problemKinds, type ProblemCode } from '@comity/core/problems'

export interface AdminClient {
  get<T>(path: string): Promise<T>
  /** Every entry of a list, page by page. */
  all<T>(path: string): Promise<T[]>

  post<T>(path: string, body: unknown): Promise<T>
  patch<T>(path: string, body: unknown): Promise<T>
  /** Gives nothing for an answer without content. */
  delete<T = void>(path: string): Promise<T>
}

export interface AdminEndpoint {
  readonly address: string
  readonly port: number
  readonly token: string
}

/** Longest answer read, in bytes: a full page of the log. */
const maxAnswerBytes = 64 * 1024 * 1024
const timeoutMs = 60_000

interface AdminRequest {
  readonly method: string
  readonly path: string
  /** JSON text. */
  readonly body: string | undefined
}

/** What came back. */
interface Sent {
  readonly status: number
  readonly text: string
  /** Address of the page after this one. */
  readonly next: string | undefined
}

/** Only an address of the node itself, as `Link` (RFC 8288) has it. */
function nextOf(link: string | string[] | undefined): string | undefined {
  return /^<(\/v1\/[^>]*)>; rel="next"$/.exec(String(link ?? ''))?.[1]
}

function send(endpoint: AdminEndpoint, { method, path, body }: AdminRequest): Promise<Sent> {
  return new Promise((resolve, reject) => {
    const headers: Record<string, string> = { authorization: `Bearer ${endpoint.token}`, accept: 'application/json' }
    if (body !== undefined) headers['content-type'] = 'application/json'
    // A connection of its own: one that was kept may be closed by the node just as the next request sets out on it.
    const outgoing = request(
      { host: endpoint.address, port: endpoint.port, method, path, headers, timeout: timeoutMs, agent: false },
      (answer) => {
        const chunks: Buffer[] = []
        let size = 0
        answer.on('data', (chunk: Buffer) => {
          size += chunk.length
          if (size > maxAnswerBytes) answer.destroy(new Error('the answer is too large'))
          else chunks.push(chunk)
        })
        answer.on('end', () =>
          resolve({
            status: answer.statusCode ?? 0,
            text: Buffer.concat(chunks).toString('utf8'),
            next: nextOf(answer.headers['link']),
          }),
        )
        answer.on('error', reject)
      },
    )
    outgoing.on('timeout', () => outgoing.destroy(new Error('the node did not answer in time')))
    outgoing.on('error', reject)
    outgoing.end(body)
  })
}

/** The problem that a node answered, as if it had been thrown here. */
function problemOf(status: number, text: string): Problem {
  let document: Record<string, unknown> = {}
  try {
    document = JSON.parse(text) as Record<string, unknown>
  } catch {
    // Not a problem document: only the status is told.
  }
  const { code, detail, type: _type, title: _title, status: _status, remedy: _remedy, ...members } = document
  const known = typeof code === 'string' && code in problemKinds ? (code as ProblemCode) : 'internal-error'
  return new Problem(known, typeof detail === 'string' ? detail : `the node answered with status ${status}`, {
    members,
  })
}

/** Another program on the same port does not answer in JSON. */
function parseAnswer(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new Problem('answer-unusable', 'what answers on the admin address is not a Comity node', { cause })
  }
}

/** A client of one node. Its methods throw the node's own `Problem`, or `node-not-running`. */
export function createAdminClient(endpoint: AdminEndpoint): AdminClient {
  async function ask(method: string, path: string, body?: unknown): Promise<Sent> {
    const asked = { method, path, body: body === undefined ? undefined : JSON.stringify(body) }
    const sent = await send(endpoint, asked).catch((cause: unknown) => {
      throw new Problem('node-not-running', `nothing answers on ${endpoint.address}:${endpoint.port}`, { cause })
    })

    if (sent.status >= 400) throw problemOf(sent.status, sent.text)
    return sent
  }
  const call = async (method: string, path: string, body?: unknown) => (await ask(method, path, body)).text
  async function all(path: string): Promise<unknown[]> {
    const entries: unknown[] = []
    for (let next: string | undefined = path; next !== undefined;) {
      const page: Sent = await ask('GET', next)
      entries.push(...(parseAnswer(page.text) as unknown[]))
      next = page.next
    }
    return entries
  }
  return {
    get: async <T>(path: string) => parseAnswer(await call('GET', path)) as T,
    all: async <T>(path: string) => (await all(path)) as T[],
    post: async <T>(path: string, body: unknown) => parseAnswer(await call('POST', path, body)) as T,
    patch: async <T>(path: string, body: unknown) => parseAnswer(await call('PATCH', path, body)) as T,
    delete: async <T>(path: string) => {
      const text = await call('DELETE', path)
      return (text === '' ? undefined : parseAnswer(text)) as T
    },
  }
}
