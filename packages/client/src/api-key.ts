/** The API key with which a program calls a node. When an answer says that the key ends, its successor is had in the
 *  background, kept by the application, tried, and only then used; a key that is refused is replaced by another one that
 *  the application kept, and the call made again. So no call waits for a renewal, and none fails by it. */
import { parseRetryAfter } from '@comity/core/limits/rate-limit-fields'
import { ComityError, invalidCall } from './comity-error.ts'
import { withinTime } from './deadline.ts'
import { keyEndOf } from './key-end.ts'
import { formatKeyRing, keyIdOf, parseKeyRing, type KeyRing } from './key-ring.ts'
import { readBody } from './read-body.ts'
import { recoverKey, renewKey, type Claim, type KeyAnswer, type KeyPorts } from './key-rounds.ts'
import type { KeyedRequest, SendWithKey } from './send-with-key.ts'
import { randomFraction, type World } from './world.ts'

/** Where an application keeps its key: one text, written anew with each renewal. At first it is the key alone. What takes
 *  longer than 15 seconds has failed: no call waits for it any more. */
export interface ApiKeyStore {
  /** What was kept last. Read before the first call, before each renewal, and when the key in use is refused. */
  load(): string | Promise<string>
  /** Keeps the text where it survives a restart, in place of `before`. Where several processes have one store, give
   *  `false` and leave it as it is when it is not `before` any more. What it throws leaves the old key in use; it is
   *  tried again later. */
  save(text: string, before: string): boolean | void | Promise<boolean | void>
}

/** Where the credential of a call comes from, anew for each attempt. */
export interface Credential {
  /** Sends the request with the key in use. Throws what `fetch` and the store throw. */
  send(request: KeyedRequest): Promise<{ readonly response: Response; readonly key: string }>
  /** Told of an answer that refused a key: true when another one is in use and the request may be sent again. */
  isReplaced(key: string, refusal: Refusal): Promise<boolean>
  /** Renews the key now; resolves when another one is in use, or where there is none yet. Throws why it was not renewed:
   *  what the node answered, also before where it asked to be left alone, and `invalid-call` for a key that is not kept. */
  renew(): Promise<void>
  /** Begins a renewal that waits for its moment, and resolves when nothing is under way; never rejects. */
  settled(): Promise<void>
}

/** Of an answer. */
export interface Refusal {
  readonly status: number
  readonly code: string
  /** It went further than to the node that judges keys. */
  readonly hasReceipt: boolean
}

export interface CredentialParts {
  readonly send: SendWithKey
  /** Address at the same node where a key is renewed. */
  readonly renewal: string
  readonly world: World
}

/** Clients of many machines do not come all at once. One that has just begun renews at once: it may end soon, and no two
 *  begin alike. */
const spreadMs = 10_000
const answerWithinMs = 15_000
const storeWithinMs = 15_000
/** Of an answer about a key: a few members. A longer one is taken for none. */
const maxAnswerBytes = 65_536
const againAfterMs = 60_000
const maxAgainAfterMs = 86_400_000
/** The node said that there is no next key for this client, or not now. */
const againAfterRefusalMs = 3_600_000
/** No key was good: the node is spared the questions of every call. */
const againAfterLossMs = 10_000
const firstPauseMs = 100

/** What it says of a key for good. One that is not known may be so again: a backup was restored, say. */
const endings = new Set(['key-revoked', 'key-expired', 'key-malformed'])
/** What a call is refused with when its key is not good now. */
const refusals = new Set(['key-revoked', 'key-expired', 'key-unknown', 'key-disabled'])

/** The credential of a client's calls. A key that is a mere text is not renewed: nobody would keep the next. Throws
 *  `invalid-call`, without a word of the key. */
export function apiKeyCredential(option: string | ApiKeyStore, parts: CredentialParts): Credential {
  if (typeof option !== 'string') return new KeptKey(option, parts)
  keyIdOf(option)
  return {
    send: async (request) => ({ response: await parts.send(option, request), key: option }),
    isReplaced: async () => false,
    renew: async () => {
      throw invalidCall('`apiKey` is a mere text: only a key in a store is renewed')
    },
    settled: async () => undefined,
  }
}

class KeptKey implements Credential {
  readonly #store: ApiKeyStore
  readonly #parts: CredentialParts
  #ring: KeyRing | undefined
  /** What the store holds, as far as is known. */
  #stored = ''
  #loading: Promise<KeyRing> | undefined
  /** Some call was answered. */
  #hasAnswer = false
  #renewing: Promise<void> | undefined
  #renewAfterMs = 0
  /** What went wrong in the round that runs. */
  #trouble: ComityError | undefined
  /** Why the last renewal brought no key. */
  #whyNot: ComityError | undefined
  /** Ends the wait before a renewal. */
  #hurry = new AbortController()
  #recovering: Promise<boolean> | undefined
  #recoverAfterMs = 0
  /** Keys that have ended, as this process learned. */
  readonly #ended = new Set<string>()
  /** The longest that an answer asked not to be asked again, in milliseconds. */
  #heldBackMs = 0
  /** One round after the other. */
  #round: Promise<unknown> = Promise.resolve()

  constructor(store: ApiKeyStore, parts: CredentialParts) {
    this.#store = store
    this.#parts = parts
  }

  async send(request: KeyedRequest): Promise<{ readonly response: Response; readonly key: string }> {
    const { current: key } = this.#ring ?? (await this.#first())
    const response = await this.#parts.send(key, request)
    this.#saw(response.headers, key)
    this.#hasAnswer = true
    return { response, key }
  }

  async renew(): Promise<void> {
    const { current: key } = this.#ring ?? (await this.#first())
    this.#begin(key, 0)
    await this.settled()
    if (this.#whyNot !== undefined && this.#ring?.current === key) throw this.#whyNot
  }

  async settled(): Promise<void> {
    this.#hurry.abort()
    await this.#renewing
    await this.#round
    this.#hurry = new AbortController()
  }

  isReplaced(key: string, { status, code, hasReceipt }: Refusal): Promise<boolean> {
    const isOfKey = status === 401 && refusals.has(code) && !hasReceipt
    if (!isOfKey || this.#ring === undefined) return Promise.resolve(false)
    if (this.#ring.current !== key) return Promise.resolve(true)
    if (this.#recovering !== undefined) return this.#recovering
    if (this.#parts.world.clock.now() < this.#recoverAfterMs) return Promise.resolve(false)
    this.#recovering = this.#inTurn(() => this.#recover(key)).finally(() => (this.#recovering = undefined))
    return this.#recovering
  }

  async #recover(refused: string): Promise<boolean> {
    const ring = this.#ring as KeyRing
    if (ring.current !== refused) return true // A renewal that ended just now may have been faster.
    const isReplaced = await recoverKey(ring, this.#ports(), this.#ended)
    if (!isReplaced) this.#recoverAfterMs = this.#parts.world.clock.now() + againAfterLossMs
    // What was refused to the key before says nothing of this one.
    else this.#renewAfterMs = 0
    return isReplaced
  }

  #saw(headers: Headers, key: string): void {
    const end = keyEndOf(headers)
    if (end === undefined || end.key !== keyIdOf(key) || this.#ring?.current !== key) return
    this.#begin(key, end.sunset)
  }

  #begin(key: string, sunset: number): void {
    if (this.#renewing !== undefined || this.#parts.world.clock.now() < this.#renewAfterMs) return
    this.#renewing = this.#renew(key, sunset).finally(() => (this.#renewing = undefined))
  }

  async #renew(key: string, sunset: number): Promise<void> {
    const { clock, idle, random } = this.#parts.world
    const leftMs = () => Math.max(0, sunset * 1_000 - clock.now())
    // Even the shortest idle wait would let a program end.
    if (this.#hasAnswer) await idle(Math.min(spreadMs, leftMs() / 10) * randomFraction(random), this.#hurry.signal)
    await this.#inTurn(async () => {
      const ring = this.#ring as KeyRing
      if (ring.current !== key) return
      this.#heldBackMs = 0
      this.#trouble = undefined
      const outcome = await renewKey(ring, this.#ports(), this.#ended)
      this.#whyNot = outcome === 'moved' ? undefined : this.#trouble
      if (outcome === 'moved') return
      const refusedMs = Math.max(againAfterMs, Math.min(againAfterRefusalMs, leftMs() / 10))
      const waitMs = Math.max(this.#heldBackMs, outcome === 'refused' ? refusedMs : againAfterMs)
      this.#renewAfterMs = clock.now() + waitMs
    })
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#round.then(work)
    this.#round = done.catch(() => undefined)
    return done
  }

  #first(): Promise<KeyRing> {
    this.#loading ??= this.#read()
      .then((ring) => (this.#ring ??= ring))
      .finally(() => (this.#loading = undefined))
    return this.#loading
  }

  async #read(): Promise<KeyRing> {
    let text: string
    try {
      text = await this.#inTime(() => this.#store.load())
    } catch (cause) {
      throw new ComityError('invalid-call', 'the store of the API key cannot be read', { cause })
    }
    const ring = parseKeyRing(text)
    this.#stored = text
    return ring
  }

  #inTime<T>(work: () => T | Promise<T>): Promise<T> {
    return withinTime(work, storeWithinMs, this.#parts.world.idle)
  }

  #ports(): KeyPorts {
    const { idle } = this.#parts.world
    return {
      load: () => this.#read().catch(() => undefined),
      keep: (ring) => this.#keep(ring),
      hold: (ring) => void (this.#ring = ring),
      ask: (key) => this.#ask(key),
      claim: (key) => this.#claim(key),
      pause: (times) => idle(firstPauseMs * 4 ** (times - 1)),
    }
  }

  async #keep(ring: KeyRing): Promise<'kept' | 'failed' | KeyRing> {
    const text = formatKeyRing(ring)
    if (text === this.#stored) return 'kept'
    try {
      const isLeft = (await this.#inTime(() => this.#store.save(text, this.#stored))) === false
      if (isLeft) return await this.#read()
    } catch (cause) {
      this.#trouble = new ComityError('invalid-call', 'the store of the API key cannot be written', { cause })
      return 'failed'
    }
    this.#stored = text
    return 'kept'
  }

  async #ask(key: string): Promise<KeyAnswer> {
    const { status, members } = await this.#exchange('GET', key)
    if (status === 200) return members['keyId'] === keyIdOf(key) ? 'works' : 'unclear'
    const code = typeof members['code'] === 'string' ? members['code'] : ''
    if (endings.has(code)) return 'ended'
    if (code.startsWith('key-')) return 'resting'
    this.#trouble = refusalOf(status, members)
    return 'unclear'
  }

  async #claim(key: string): Promise<Claim> {
    const { status, members } = await this.#exchange('POST', key)
    const next = members['key']
    if (status === 201 && typeof next === 'string' && isKey(next)) return { key: next }
    this.#trouble = members['code'] === 'key-not-rotated' ? undefined : refusalOf(status, members)
    return status === 409 ? 'refused' : 'unclear'
  }

  /** Never throws; the status is 0 where no answer came. */
  async #exchange(method: string, key: string): Promise<{ status: number; members: Record<string, unknown> }> {
    const { send, renewal, world } = this.#parts
    const ended = new AbortController()
    const late = new AbortController()
    void world.idle(answerWithinMs, ended.signal).then(() => late.abort())
    try {
      const answer = await send(key, { method, url: renewal, headers: {}, signal: late.signal })
      const waitMs = parseRetryAfter(answer.headers.get('retry-after'), world.clock.now()) ?? 0
      this.#heldBackMs = Math.max(this.#heldBackMs, Math.min(maxAgainAfterMs, waitMs))
      const bytes = await readBody(answer, maxAnswerBytes, late.signal)
      const members = JSON.parse(new TextDecoder().decode(bytes)) as Record<string, unknown> | null
      return { status: answer.status, members: members ?? {} }
    } catch {
      return { status: 0, members: {} }
    } finally {
      ended.abort()
    }
  }
}

/** Why an answer about a key gave none; status 0 for no answer. */
function refusalOf(status: number, document: Record<string, unknown>): ComityError {
  const { code, detail, remedy } = document
  if (status === 0) return new ComityError('node-unreachable', 'the node did not answer about the API key')
  if (typeof code !== 'string') return new ComityError('not-a-node', 'the answer about the API key is not a node’s')
  const told = typeof detail === 'string' ? detail : 'the node gave no key'
  return new ComityError(code, told, { status, document, remedy: typeof remedy === 'string' ? remedy : undefined })
}

function isKey(text: string): boolean {
  try {
    return keyIdOf(text) !== ''
  } catch {
    return false
  }
}
