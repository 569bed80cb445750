/** The keys that a client has: one in use, those it got and has not tried yet, those it used before. One text holds them
 *  all, so that whatever moment a program is stopped at, a good key is among what it kept. Pure.
 *
 *      cmty_live_7Qm2xK9a_… next=cmty_live_c41RtP0z_… old=cmty_live_Xb20aaQ1_…                                   */
import { parseApiKey } from '@comity/core/api-keys/api-key'
import { invalidCall } from './comity-error.ts'

/** Whole keys, each once; lists newest first. */
export interface KeyRing {
  readonly current: string
  /** Not known to work. */
  readonly next: readonly string[]
  /** A rotation that is rolled back makes the last one good again. */
  readonly old: readonly string[]
}

/** More than one is there only after lost answers; what falls off was replaced by the node long ago. */
const maxNext = 4
const maxOld = 2

/** Reads what `formatKeyRing` wrote, or a key alone. A further key without a word before it, as an operator may add one,
 *  is tried like one that the client got itself. Throws `invalid-call`, without a word of what the text holds. */
export function parseKeyRing(text: string): KeyRing {
  const ring = { plain: [] as string[], next: [] as string[], old: [] as string[] }
  for (const word of text.split(/\s+/).filter((part) => part !== '')) {
    const [, role = 'plain', key = ''] = /^(?:(next|old)=)?(.*)$/s.exec(word) ?? []
    keyIdOf(key)
    ring[role as keyof typeof ring].push(key)
  }
  const [current, ...added] = ring.plain
  if (current === undefined) throw invalidCall('`apiKey` is empty')
  return ringOf({ current, next: [...added, ...ring.next], old: ring.old })
}

/** One line; the order of keys is kept. */
export function formatKeyRing({ current, next, old }: KeyRing): string {
  return [current, ...next.map((key) => `next=${key}`), ...old.map((key) => `old=${key}`)].join(' ')
}

/** The public id of a key. Throws `invalid-call`. */
export function keyIdOf(key: string): string {
  try {
    return parseApiKey(key).id
  } catch {
    throw invalidCall('`apiKey` is not an API key, or some of it was mistyped')
  }
}

/** The best first. */
export function keysOf({ current, next, old }: KeyRing): readonly string[] {
  return [current, ...next, ...old]
}

/** With a key that the node has just given. */
export function claimed(ring: KeyRing, key: string): KeyRing {
  return ringOf({ ...ring, next: [key, ...ring.next] })
}

/** With this key in use, and without those that have ended for good. What was in use before is an old key, or, where it
 *  is an old one that is in use again, a next one: it may have been disabled for a while only. */
export function using(ring: KeyRing, key: string, ended: ReadonlySet<string> = new Set()): KeyRing {
  const former = ring.current === key ? [] : [ring.current]
  const isMoving = ring.next.includes(key)
  const stands = (list: readonly string[]) => list.filter((one) => !ended.has(one))
  return ringOf({
    current: key,
    next: stands(isMoving ? ring.next : [...former, ...ring.next]),
    old: stands(isMoving ? [...former, ...ring.old] : ring.old),
  })
}

/** Without next keys that have ended. */
export function without(ring: KeyRing, ended: ReadonlySet<string>): KeyRing {
  return { ...ring, next: ring.next.filter((key) => !ended.has(key)) }
}

/** With what somebody else kept: another process with the same store, or an operator. Their keys are tried before any
 *  is used, but for those that this client has left already. */
export function merged(ring: KeyRing, stored: KeyRing): KeyRing {
  const tried = [stored.current, ...stored.next].filter((key) => !ring.old.includes(key))
  return ringOf({ ...ring, next: [...tried, ...ring.next], old: [...ring.old, ...stored.old] })
}

/** Each key once, where it counts most, and no more than there is room for. */
function ringOf({ current, next, old }: KeyRing): KeyRing {
  const tried = [...new Set(next)].filter((key) => key !== current)
  const left = [...new Set(old)].filter((key) => key !== current && !tried.includes(key))
  return { current, next: tried.slice(0, maxNext), old: left.slice(0, maxOld) }
}
