/** The API key with which an application calls its own node. When an answer says that the key ends, its successor is had
 *  in the background, told to the application, tried, and only then used; no call waits for that, and none fails by it. */
import { parseApiKey } from '@comity/core/api-keys/api-key'
import { invalidCall } from './comity-error.ts'
import { keyEndOf } from './key-end.ts'
import { randomFraction, type World } from './world.ts'

/** A key that the client renews. */
export interface RenewableApiKey {
  /** The whole key, `cmty_live_…`. */
  readonly value: string
  /** Told of the next key before it is used. Keep it where it survives a restart: the old one will end. What it throws
   *  leaves the old key in use, and it is tried again later. */
  readonly renewed: (newKey: string) => void | Promise<void>
}

/** Where the credential of a call comes from, anew for each attempt. */
export interface Credential {
  /** Value of `Authorization`. */
  field(): string
  /** Shown the fields of every answer. */
  saw(headers: Headers): void
}

/** Clients of many machines do not come all at once. */
const spreadMs = 10_000
const answerWithinMs = 15_000
const againAfterMs = 60_000
/** The node said that there is no next key for this client, or not now. */
const againAfterRefusalMs = 3_600_000

/** The credential of a client's calls. A key that is a mere text is not renewed: nobody would keep the next. Throws
 *  `invalid-call`, without a word of the key. */
export function apiKeyCredential(
  option: string | RenewableApiKey,
  { node, world }: { readonly node: string; readonly world: World },
): Credential {
  const first = typeof option === 'string' ? option : option.value
  const known = { value: first, id: idOf(first) }
  if (typeof option === 'string') return { field: () => `Bearer ${known.value}`, saw: () => undefined }
  const renew = renewal(option, { node, world })
  let isRenewing = false
  let notBeforeMs = 0
  const run = async (sunset: number): Promise<void> => {
    const outcome = await renew(known.value, sunset).catch(() => againAfterMs)
    if (typeof outcome === 'string') Object.assign(known, { value: outcome, id: idOf(outcome) })
    else notBeforeMs = world.clock.now() + outcome
    isRenewing = false
  }
  return {
    field: () => `Bearer ${known.value}`,
    saw(headers) {
      const end = keyEndOf(headers)
      if (end?.key !== known.id || isRenewing || world.clock.now() < notBeforeMs) return
      isRenewing = true
      void run(end.sunset)
    },
  }
}

function idOf(value: string): string {
  try {
    return parseApiKey(value).id
  } catch {
    throw invalidCall('`apiKey` is not an API key, or some of it was mistyped')
  }
}

/** The next key, once it is known to work; or after how many milliseconds to ask again. */
function renewal({ renewed }: RenewableApiKey, { node, world }: { readonly node: string; readonly world: World }) {
  const ask = async (method: string, key: string): Promise<Response> => {
    const ended = new AbortController()
    const late = new AbortController()
    void world.idle(answerWithinMs, ended.signal).then(() => late.abort())
    try {
      const headers = { authorization: `Bearer ${key}` }
      const answer = await world.fetch(`${node}/~keys/renewal`, {
        method,
        headers,
        signal: late.signal,
        cache: 'no-store',
      })
      return new Response(await answer.arrayBuffer(), answer)
    } finally {
      ended.abort()
    }
  }
  return async (key: string, sunset: number): Promise<string | number> => {
    const leftMs = Math.max(0, sunset * 1_000 - world.clock.now())
    await world.idle(Math.min(spreadMs, leftMs / 10) * randomFraction(world.random))
    const answer = await ask('POST', key)
    if (answer.status !== 201) return answer.status === 409 ? againAfterRefusalMs : againAfterMs
    const { key: next } = (await answer.json()) as { readonly key: string }
    idOf(next)
    await renewed(next)
    return (await ask('GET', next)).status === 200 ? next : againAfterMs
  }
}
