/** Calls at a partner's node, for programs that have an API key there and no node of their own: each request presents the
 *  key, or is signed with it; the key is renewed as an application's at its own node is.
 *
 *      const call = createKeyedFetch({ node: 'https://holder.example', apiKey: store, use: 'hmac' })
 *      const answer = await call('/x/stations/stations/7', { headers: { 'comity-purpose': purpose } })              */
import type { Clock, Fetch, RandomBytes } from '@comity/core/ports'
import { apiKeyCredential, type ApiKeyStore } from './api-key.ts'
import { invalidCall } from './comity-error.ts'
import { untilAborted } from './deadline.ts'
import { platform } from './main.ts'
import { presenting, signing, type KeyedRequest } from './send-with-key.ts'
import { parseNodeAddress } from './target.ts'
import type { Sleep, World } from './world.ts'

export interface KeyedFetchOptions {
  /** Address of the partner's node, `https://…`; the key goes nowhere else. */
  readonly node: string
  /** The key, or where it is kept: only such a key is renewed. It never appears in an error. */
  readonly apiKey: string | ApiKeyStore
  /** `plain` keys are presented, `hmac` keys sign and are never sent. Default `plain`. */
  readonly use?: 'plain' | 'hmac'
  /** Where an `hmac` key demands `Comity-Sequence`: the next number, higher than any before, also before the last
   *  restart. `clock` takes it from the time, which must not have been set back meanwhile. Requests then wait for each
   *  other. */
  readonly sequence?: 'clock' | (() => number | Promise<number>)
  /** The surroundings; those of the platform where left out. The node's clock may differ by half a minute. */
  readonly fetch?: Fetch
  readonly clock?: Clock
  readonly random?: RandomBytes
  readonly sleep?: Sleep
}

export interface KeyedInit {
  /** Upper case. Default `GET`. */
  readonly method?: string
  /** With a body, `content-type` must be among them. */
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array
  readonly signal?: AbortSignal
}

/** Like `fetch`, for paths (`/x/…`) and addresses at the node. Follows no redirect, caches nothing, paces and repeats
 *  nothing, but for one request whose key was refused while another is good. Throws `ComityError` `invalid-call`, and what
 *  `fetch` throws. */
export interface KeyedFetch {
  (address: string, init?: KeyedInit): Promise<Response>
  /** Renews a key in a store now; for who is told of a rotation by a webhook. Resolves when another key is in use, or where
   *  there is none yet; throws `ComityError` where it was not renewed: `key-rotation-refused` and what else the node
   *  answered. The key goes to this node's own address alone, never to one that a message holds. Throws `invalid-call` for
   *  an `address` that is another, before anything is sent, and for a key that is a mere text. */
  renew(address?: string): Promise<void>
  /** Resolves when a renewal of the key that is due or under way is over; never rejects. For a program that ends itself
   *  (`process.exit`): calls may still be made. */
  close(): Promise<void>
}

const sequencesPerMs = 100

/** Makes such a function. Opens nothing; throws `invalid-call` for options that cannot be used. */
export function createKeyedFetch(options: KeyedFetchOptions): KeyedFetch {
  const { apiKey, use = 'plain', sequence } = options
  const origin = originOf(options.node)
  const world = worldOf(options)
  if (use === 'plain' && sequence !== undefined) throw invalidCall('`sequence` is for keys of the use `hmac`')
  const nextSequence = sequence === 'clock' ? sequenceOfClock(world.clock) : sequence
  const send = use === 'plain' ? presenting(world.fetch) : signing(world, nextSequence)
  const renewal = `${origin}/keys/renewal`
  const credential = apiKeyCredential(apiKey, { send, renewal, world })
  const call = async (address: string, init: KeyedInit = {}) => {
    const request = requestOf(address, init, origin)
    const { response, key } = await untilAborted(credential.send(request), request.signal)
    if (response.status !== 401) return response
    const bytes = await response.arrayBuffer()
    const refusal = { status: 401, code: codeIn(bytes), hasReceipt: response.headers.has('comity-receipt') }
    const isReplaced = await untilAborted(credential.isReplaced(key, refusal), request.signal)
    if (isReplaced) return (await untilAborted(credential.send(request), request.signal)).response
    return new Response(bytes, response)
  }
  const renew = async (address = renewal) => {
    if (!URL.canParse(address) || new URL(address).href !== renewal) {
      throw invalidCall('the address of the renewal is not at the node of the API key: the message may be forged')
    }
    await credential.renew()
  }
  return Object.assign(call, { renew, close: () => credential.settled() })
}

/** Throws `invalid-call` where the key could be read on its way. */
function originOf(node: string): string {
  const { protocol, hostname, origin, pathname } = new URL(parseNodeAddress(node), 'of-page:/')
  const isHere = /^(?:localhost|127(?:\.\d+){3}|\[::1\])$/.test(hostname)
  if (protocol !== 'https:' && !(protocol === 'http:' && isHere)) throw invalidCall('`node` is not an https address')
  if (pathname !== '/') throw invalidCall('`node` has a path')
  return origin
}

function requestOf(address: string, init: KeyedInit, origin: string): KeyedRequest {
  const { method = 'GET', headers = {}, body, signal = new AbortController().signal } = init
  const url = URL.canParse(address, origin) ? new URL(address, origin) : undefined
  if (url?.origin !== origin || url.username !== '' || url.password !== '') {
    throw invalidCall('the address is not at the node of the API key')
  }
  if (!/^[A-Z]{1,32}$/.test(method)) throw invalidCall('the method is not a word in upper case')
  const fields = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
  if (fields['authorization'] !== undefined || fields['x-api-key'] !== undefined) {
    throw invalidCall('`headers` hold a credential beside the API key')
  }
  url.hash = ''
  return { method, url: url.href, headers: fields, body, signal }
}

/** The code of a problem document; empty for another answer. */
function codeIn(bytes: ArrayBuffer): string {
  try {
    const { code } = JSON.parse(new TextDecoder().decode(bytes)) as { readonly code?: unknown }
    return typeof code === 'string' ? code : ''
  } catch {
    return ''
  }
}

function sequenceOfClock(clock: Clock): () => number {
  let last = 0
  return () => (last = Math.max(last + 1, Math.floor(clock.now() * sequencesPerMs)))
}

function worldOf({ fetch, clock, random, sleep }: KeyedFetchOptions): World {
  return {
    fetch: fetch ?? platform.fetch,
    clock: clock ?? platform.clock,
    random: random ?? platform.random,
    sleep: sleep ?? platform.sleep,
    idle: sleep ?? platform.idle,
  }
}
