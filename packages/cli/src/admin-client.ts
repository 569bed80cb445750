/** Talks to a running node's admin listener on this machine, with the token that `comity init` wrote. */
import { request } from 'node:http'
import { Problem, problemKinds, type ProblemCode } from '@comity/core/problems'

export interface AdminClient {
  get<T>(path: string): Promise<T>
  post<T>(path: string, body: unknown): Promise<T>
  delete(path: string): Promise<void>
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

function send(
  endpoint: AdminEndpoint,
  { method, path, body }: AdminRequest,
): Promise<{ status: number; text: string }> {
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
          resolve({ status: answer.statusCode ?? 0, text: Buffer.concat(chunks).toString('utf8') }),
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
  async function call(method: string, path: string, body?: unknown): Promise<string> {
    const asked = { method, path, body: body === undefined ? undefined : JSON.stringify(body) }
    const sent = await send(endpoint, asked).catch((cause: unknown) => {
      throw new Problem('node-not-running', `nothing answers on ${endpoint.address}:${endpoint.port}`, { cause })
    })
    if (sent.status >= 400) throw problemOf(sent.status, sent.text)
    return sent.text
  }
  return {
    get: async <T>(path: string) => parseAnswer(await call('GET', path)) as T,
    post: async <T>(path: string, body: unknown) => parseAnswer(await call('POST', path, body)) as T,
    delete: async (path) => void (await call('DELETE', path)),
  }
}
