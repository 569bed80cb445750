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

/** What is known beside a ring. */
export interface Known {
  /** Keys that have ended for good. */
  readonly ended: ReadonlySet<string>
  /** What somebody else kept last. */
  readonly stored?: KeyRing | undefined
}

const nothing: Known = { ended: new Set() }

/** With this key in use, and without those that have ended for good. What was in use before is an old key, or, where it
 *  is an old one that is in use again, a next one: it may have been disabled for a while only. Where somebody else came to
 *  this key before, the keys that they left on their way count more. */
export function using(ring: KeyRing, key: string, { ended, stored }: Known = nothing): KeyRing {
  const former = ring.current === key ? [] : [ring.current]
  const isMoving = ring.next.includes(key)
  const theirs = stored?.current === key ? stored.old : []
  const next = isMoving ? ring.next : [...former, ...ring.next]
  const old = isMoving ? [...theirs, ...former, ...ring.old] : ring.old
  return ringOf({ current: key, next, old }, ended)
}

/** Without keys that have ended; the one in use stays. */
export function without(ring: KeyRing, ended: ReadonlySet<string>): KeyRing {
  return ringOf(ring, ended)
}

/** With what somebody else kept: another process with the same store, or an operator. Their keys are tried before any
 *  is used, but for those that this client has left already. Of old keys those count most that were left by whoever has
 *  come further, and in doubt those that are kept: so all come to one order. */
export function merged(ring: KeyRing, stored: KeyRing, ended: ReadonlySet<string> = nothing.ended): KeyRing {
  const isLeft = (key: string) => key === ring.current || ring.old.includes(key) || ended.has(key)
  const tried = [stored.current, ...stored.next].filter((key) => !isLeft(key))
  const others = ring.next.filter((key) => !tried.includes(key))
  const isAhead = ring.old.includes(stored.current) && !stored.old.includes(ring.current)
  const old = isAhead ? [...ring.old, ...stored.old] : [...stored.old, ...ring.old]
  return ringOf({ ...ring, next: alternately(tried, others), old }, ended)
}

/** Of both, whatever there is room for. */
function alternately(one: readonly string[], other: readonly string[]): string[] {
  const turns = Array.from({ length: Math.max(one.length, other.length) }, (_, turn) => turn)
  return turns.flatMap((turn) => [...one.slice(turn, turn + 1), ...other.slice(turn, turn + 1)])
}

/** Each key once, where it counts most, none that has ended, and then no more than there is room for. */
function ringOf({ current, next, old }: KeyRing, ended: ReadonlySet<string> = nothing.ended): KeyRing {
  const tried = [...new Set(next)].filter((key) => key !== current && !ended.has(key))
  const left = [...new Set(old)].filter((key) => key !== current && !tried.includes(key) && !ended.has(key))
  return { current, next: tried.slice(0, maxNext), old: left.slice(0, maxOld) }
}
