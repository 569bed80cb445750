/** How a request carries an API key: presented as it is, or as the key of the signature over it (RFC 9421). */
import type { Fetch } from '@comity/core/ports'
import { signApiRequest } from './sign-api-request.ts'
import type { World } from './world.ts'

export interface KeyedRequest {
  /** Upper case. */
  readonly method: string
  readonly url: string
  /** Lower case, without a credential. */
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array | undefined
  readonly signal: AbortSignal
}

/** Sends a request with this key. Throws what `fetch` does. */
export type SendWithKey = (key: string, request: KeyedRequest) => Promise<Response>

/** Presents the key. */
export function presenting(fetch: Fetch): SendWithKey {
  return (key, { headers, ...request }) =>
    plainSend(fetch, { ...request, headers: { ...headers, authorization: `Bearer ${key}` } })
}

/** Sends a request as it is; redirects are not followed, nothing is cached. */
export function plainSend(fetch: Fetch, { url, method, headers, body, signal }: KeyedRequest): Promise<Response> {
  const init: RequestInit = { method, headers, signal, redirect: 'manual', cache: 'no-store' }
  if (body !== undefined) init.body = body as BodyInit
  return fetch(url, init)
}

/** Signs with the key. With `nextSequence` each request has a number, and is answered before the next one is sent: a
 *  number that is overtaken is refused. */
export function signing(
  { fetch, clock, random }: Pick<World, 'fetch' | 'clock' | 'random'>,
  nextSequence?: () => number | Promise<number>,
): SendWithKey {
  const send = (apiKey: string, request: KeyedRequest, sequence?: number) => {
    const numbered = sequence === undefined ? {} : { sequence }
    return plainSend(fetch, { ...request, headers: signApiRequest(request, { apiKey, clock, random, ...numbered }) })
  }
  if (nextSequence === undefined) return async (key, request) => send(key, request)
  let last: Promise<unknown> = Promise.resolve()
  return (key, request) => {
    const answer = last.then(async () => {
      request.signal.throwIfAborted()
      return send(key, request, await nextSequence())
    })
    last = answer.catch(() => undefined)
    return answer
  }
}
