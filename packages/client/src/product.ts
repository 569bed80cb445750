/** A partner's product as an application holds it: one function for each method, and `request` for any content. */
import type {
  Answer,
  BytesAnswer,
  CallOptions,
  CallSettings,
  RequestOptions,
  StreamedAnswer,
  StreamOptions,
  UntypedOptions,
} from './call-options.ts'
import type { Credential } from './api-key.ts'
import { invalidCall } from './comity-error.ts'
import { bytesAnswer, jsonAnswer } from './judge-answer.ts'
import { priorities, type Pacer, type Priority } from './pacer.ts'
import { performCall } from './perform-call.ts'
import { streamedAnswer } from './streamed-answer.ts'
import type { Method, TypedCall } from './product-types.ts'
import { choiceFor } from './replica.ts'
import { requestHead } from './request-head.ts'
import type { ReceivedAnswer } from './send-once.ts'
import { fillPath, queryText } from './target.ts'
import { versionEndOf, type VersionEnd } from './version-end.ts'
import type { World } from './world.ts'

interface Requests {
  /** Sends any body and gives the answer's bytes, whatever its content type; `method` in upper case. Fails like the
   *  other methods, as all do for a status of 300 and above. */
  request(method: string, path: string, options?: RequestOptions): Promise<BytesAnswer>
  /** Reads with `GET` what may be too large to hold, while it arrives. A call is repeated only until its answer begins;
   *  `maxAnswerBytes` bounds a row, not the answer. */
  stream(path: string, options?: StreamOptions): Promise<StreamedAnswer>
}

/** A product whose `paths` are known to the compiler. */
export type TypedProduct<Paths> = { readonly [M in Method]: TypedCall<Paths, M> } & Requests

type UntypedCall = <Data = unknown>(path: string, options?: UntypedOptions) => Promise<Answer<Data>>

/** A product without types; name the data's type at the call where it helps: `get<Athlete>('/athletes/7')`. */
export type Product = { readonly [M in Method]: UntypedCall } & Requests

export interface ProductParts {
  /** `<node>/{partner}/{product}`. */
  readonly address: string
  /** Header fields of every call. */
  readonly headers: Readonly<Record<string, string>>
  readonly credential?: Credential | undefined
  readonly settings: CallSettings
  readonly pacer: Pacer
  /** Told of every answer that announces the end of its version. */
  readonly onVersionEnd?: ((end: VersionEnd) => void) | undefined
  readonly world: World
}

const defaults = { timeoutMs: 30_000, maxAttempts: 3, maxAnswerBytes: 64 * 1024 * 1024, priority: 'normal' as Priority }

/** Methods that change nothing (RFC 9110 §9.2.1). */
const safeMethods = new Set(['GET', 'HEAD', 'OPTIONS'])

/** Makes the product's functions; they may be taken off the object. */
export function createProduct(parts: ProductParts): Product {
  const json =
    (method: string) =>
    async (path: string, options: UntypedOptions = {}) => {
      const { body, ...rest } = options
      const carried =
        body === undefined
          ? {}
          : { body: jsonText(body), headers: { 'content-type': 'application/json', ...lowerCased(rest.headers) } }
      return jsonAnswer(await send(parts, { method, path }, { ...rest, ...carried })) as Answer<never>
    }
  return {
    get: json('GET'),
    head: json('HEAD'),
    options: json('OPTIONS'),
    post: json('POST'),
    put: json('PUT'),
    patch: json('PATCH'),
    delete: json('DELETE'),
    request: async (method, path, options = {}) => bytesAnswer(await send(parts, { method, path }, options)),
    async stream(path, options = {}) {
      const answer = await send(parts, { method: 'GET', path, isStreamed: true }, options)
      const { timeoutMs, maxAnswerBytes } = chooseSettings(parts.settings, options)
      return streamedAnswer(answer, { timeoutMs, maxRowBytes: maxAnswerBytes, signal: options.signal }, parts.world)
    },
  }
}

async function send(
  { address, headers, credential, settings, pacer, onVersionEnd, world }: ProductParts,
  {
    method,
    path,
    isStreamed = false,
  }: { readonly method: string; readonly path: string; readonly isStreamed?: boolean },
  options: RequestOptions,
): Promise<ReceivedAnswer> {
  const chosen = chooseSettings(settings, options)
  requireMethod(method, options.body !== undefined)
  const { replica: own, ...told } = options
  const replica = choiceFor(method, { own, common: settings.replica })
  const request = {
    method,
    url: address + fillPath(path, options.path) + queryText(options.query),
    headers: requestHead(headers, { ...told, ...chosen, ...(replica && { replica }) }, world.random),
    credential,
    body: options.body,
    maxAnswerBytes: chosen.maxAnswerBytes,
    isStreamed,
  }
  const isRepeatable = safeMethods.has(method) || options.idempotencyKey !== undefined
  const answer = await performCall({ request, isRepeatable, ...chosen, signal: options.signal }, pacer, world)
  const end = onVersionEnd && versionEndOf(answer.headers)
  if (end !== undefined) onVersionEnd?.(end)
  return answer
}

type ChosenSettings = CallSettings & Required<Pick<CallSettings, keyof typeof defaults>>

/** The nearer setting counts; one that is given as undefined counts as not given. Throws `invalid-call`. */
export function chooseSettings(common: CallSettings, options: CallOptions): ChosenSettings {
  const purpose = options.purpose ?? common.purpose
  const agreement = options.agreement ?? common.agreement
  const actor = options.actor ?? common.actor
  return {
    ...(purpose === undefined ? {} : { purpose }),
    ...(agreement === undefined ? {} : { agreement }),
    ...(actor === undefined ? {} : { actor }),
    timeoutMs: positive('timeoutMs', options.timeoutMs ?? common.timeoutMs ?? defaults.timeoutMs),
    maxAttempts: positive('maxAttempts', options.maxAttempts ?? common.maxAttempts ?? defaults.maxAttempts),
    maxAnswerBytes: positive(
      'maxAnswerBytes',
      options.maxAnswerBytes ?? common.maxAnswerBytes ?? defaults.maxAnswerBytes,
    ),
    priority: knownPriority(options.priority ?? common.priority ?? defaults.priority),
  }
}

function knownPriority(priority: Priority): Priority {
  if (priorities.includes(priority)) return priority
  throw invalidCall(`\`priority\` is none of ${priorities.join(', ')}`)
}

/** Throws `invalid-call` unless the number is above zero. */
export function positive(name: string, value: number): number {
  if (typeof value === 'number' && value > 0) return value
  throw invalidCall(`\`${name}\` is not a number above zero`)
}

function requireMethod(method: string, hasBody: boolean): void {
  if (!/^[A-Z]{1,32}$/.test(method)) throw invalidCall('the method is not a word in upper case')
  if (hasBody && (method === 'GET' || method === 'HEAD')) throw invalidCall(`a ${method} carries no body`)
}

function jsonText(body: unknown): string {
  let text: unknown
  try {
    text = JSON.stringify(body)
  } catch (cause) {
    throw invalidCall('the body cannot be written as JSON', cause)
  }
  if (typeof text !== 'string') throw invalidCall('the body cannot be written as JSON')
  return text
}

function lowerCased(fields: Readonly<Record<string, string>> = {}): Record<string, string> {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name.toLowerCase(), value]))
}
