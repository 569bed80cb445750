/** One guarded request to a server that somebody else named: DID documents, tokens, checkpoints. Size and time are
 *  limited, redirects are errors, and the connection is made by `connector.ts`. */
import { Problem } from '@comity/core/problems'
import type { Dispatcher } from 'undici'
import { Client } from './undici-parts.ts'
import { guardedConnector, type ConnectorOptions, type PeerTrust } from './connector.ts'

export interface GuardedRequest {
  /** An absolute https URL without user information. */
  readonly url: string
  readonly trust: PeerTrust
  /** Default `GET`. */
  readonly method?: 'GET' | 'HEAD' | 'POST' | undefined
  /** Lower-case names. */
  readonly headers?: Readonly<Record<string, string>> | undefined
  readonly body?: string | Uint8Array | undefined
  /** Largest answer. Default 65,536 bytes. */
  readonly maxBytes?: number | undefined
  /** From the first byte of work to the last byte of the answer. Default 5,000 ms. */
  readonly timeoutMs?: number | undefined
}

export interface GuardedResponse {
  readonly status: number
  readonly headers: Dispatcher.ResponseData['headers']
  readonly body: Uint8Array
}

/** Throws `address-forbidden`, `tls-untrusted`, `partner-unreachable`, `partner-timeout`, or `answer-unusable` for a
 *  redirect, an answer that is too large or one that is compressed. Every other status is returned. */
export type GuardedFetch = (request: GuardedRequest) => Promise<GuardedResponse>

export type GuardedFetchOptions = Omit<ConnectorOptions, 'trust' | 'timeoutMs'>

/** A guarded fetch. Each request has a connection of its own: what it asks for is kept by the caller, and a kept
 *  connection would outlive the trust it was opened with. */
export function createGuardedFetch(options: GuardedFetchOptions): GuardedFetch {
  return async (request) => {
    const url = parseUrl(request.url)
    const timeoutMs = request.timeoutMs ?? 5000
    const client = new Client(url.origin, {
      connect: guardedConnector({ ...options, trust: () => request.trust, timeoutMs }),
      maxHeaderSize: 16_384,
      headersTimeout: timeoutMs,
      bodyTimeout: timeoutMs,
    })
    const clock = new AbortController()
    const timer = setTimeout(() => clock.abort(timeout(url, timeoutMs)), timeoutMs)
    try {
      return await exchange(client, url, { ...request, signal: clock.signal })
    } catch (error) {
      throw fetchProblem(error, url)
    } finally {
      clearTimeout(timer)
      client.destroy().catch(() => {})
    }
  }
}

/** The JSON value of an answer with status 200. Throws `answer-unusable`. */
export function readJson(response: GuardedResponse): unknown {
  if (response.status !== 200) throw new Problem('answer-unusable', `the answer has status ${response.status}`)
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(response.body))
  } catch (cause) {
    throw new Problem('answer-unusable', 'the answer is not JSON', { cause })
  }
}

async function exchange(
  client: Client,
  url: URL,
  request: GuardedRequest & { readonly signal: AbortSignal },
): Promise<GuardedResponse> {
  const response = await client.request({
    path: `${url.pathname}${url.search}`,
    method: request.method ?? 'GET',
    headers: { 'accept-encoding': 'identity', ...request.headers },
    body: request.body ?? null,
    signal: request.signal,
  })
  const { statusCode: status, headers } = response
  if (status >= 300 && status < 400) throw new Problem('answer-unusable', `the answer is a redirect (${status})`)
  const encoding = headers['content-encoding']
  if (encoding !== undefined && encoding !== 'identity') {
    throw new Problem('answer-unusable', 'the answer is compressed though that was not asked for')
  }
  return { status, headers, body: await readBody(response.body, request.maxBytes ?? 65_536) }
}

async function readBody(stream: AsyncIterable<Uint8Array>, maxBytes: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of stream) {
    size += chunk.length
    if (size > maxBytes) throw new Problem('answer-unusable', `the answer is over ${maxBytes} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

function parseUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url?.protocol !== 'https:' || url.username !== '' || url.password !== '') {
    throw new Problem('address-forbidden', 'only plain https addresses may be called')
  }
  return url
}

function timeout(url: URL, timeoutMs: number): Problem {
  return new Problem('partner-timeout', `\`${url.host}\` did not answer within ${timeoutMs} ms`)
}

function fetchProblem(error: unknown, url: URL): Problem {
  if (error instanceof Problem) return error
  const { code } = error as { code?: string }
  if (code === 'UND_ERR_HEADERS_OVERFLOW') {
    return new Problem('answer-unusable', 'the header fields of the answer are too large', { cause: error })
  }
  return new Problem('partner-unreachable', `the request to \`${url.host}\` failed`, { cause: error })
}
