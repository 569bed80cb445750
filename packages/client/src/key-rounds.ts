/** How a client comes to its next key, and back to a good one: what is asked in which order. Nothing is used that was not
 *  kept and tried, nothing is forgotten that has not ended, and a lost answer is asked for again. The world is in the
 *  ports, each of which may fail at any time. */
import { claimed, keysOf, merged, using, without, type KeyRing } from './key-ring.ts'

/** What the node says of a key: it works; it will never work again; it does not now; or nothing was learned. */
export type KeyAnswer = 'works' | 'ended' | 'resting' | 'unclear'

/** What became of a claim. `refused`: there is no next key for this client, or not now. */
export type Claim = { readonly key: string } | 'refused' | 'unclear'

/** None of them throws. */
export interface KeyPorts {
  /** What is kept; undefined when that cannot be read. */
  load(): Promise<KeyRing | undefined>
  /** Keeps; gives what somebody else kept meanwhile, which was left as it is. */
  keep(ring: KeyRing): Promise<'kept' | 'failed' | KeyRing>
  /** The ring in memory, from which calls take their key. */
  hold(ring: KeyRing): void
  ask(key: string): Promise<KeyAnswer>
  /** Asks for the successor of a key. */
  claim(key: string): Promise<Claim>
  /** Waits before what was lost is asked for again; `times` is how often it was lost. */
  pause(times: number): Promise<void>
}

/** `moved`: another key is in use. `refused`: for as long as nobody does something. `later`: ask again. */
export type Renewal = 'moved' | 'refused' | 'later'

const maxTurns = 4
const maxConflicts = 3
const maxAsked = 3

/** Gets the next key of a ring whose key in use is about to end. A key that was got before, by this process or by another
 *  with the same store, is tried first: where it is in use already, the node may not tell it again. */
export async function renewKey(first: KeyRing, ports: KeyPorts): Promise<Renewal> {
  const ended = new Set<string>()
  let ring = await synced(first, ports, ended)
  let isRefused = false
  for (let turns = 0; turns < maxTurns; turns += 1) {
    const tried = await tryNext(ring, ports, ended)
    if (tried.outcome !== 'none') return tried.outcome
    ring = await synced(tried.ring, ports, ended)
    if (ring.next.some((key) => !tried.ring.next.includes(key))) continue
    if (isRefused) return 'refused'
    const claim = await ports.claim(ring.current)
    if (claim === 'unclear') return 'later'
    // Refused where another process was faster: what it got may be kept by now.
    isRefused = claim === 'refused'
    if (claim !== 'refused') ring = claimed(ring, claim.key)
  }
  return 'later'
}

/** Finds a good key after the one in use was refused. True when another is in use. */
export async function recoverKey(first: KeyRing, ports: KeyPorts): Promise<boolean> {
  const ring = await synced(first, ports)
  for (let asked = 1; asked <= maxAsked; asked += 1) {
    const ended = new Set<string>()
    let isUnclear = false
    for (const key of keysOf(ring)) {
      const answer = await ports.ask(key)
      if (answer === 'works') {
        // What cannot be kept now is used all the same: the keys that are kept hold this one already.
        await kept(using(ring, key, ended), ports)
        return key !== first.current
      }
      if (answer === 'ended') ended.add(key)
      isUnclear ||= answer === 'unclear'
    }
    if (!isUnclear) return false
    if (asked < maxAsked) await ports.pause(asked)
  }
  return false
}

interface Tried {
  readonly ring: KeyRing
  readonly outcome: 'moved' | 'later' | 'none'
}

/** Tries the next keys; those that have ended are told by `ended`. */
async function tryNext(first: KeyRing, ports: KeyPorts, ended: Set<string>): Promise<Tried> {
  let ring = first
  for (const key of first.next) {
    const safe = await kept(ring, ports)
    if (safe === undefined) return { ring, outcome: 'later' }
    ring = safe
    const answer = await ports.ask(key)
    if (answer === 'works') {
      await kept(using(ring, key, ended), ports)
      return { ring, outcome: 'moved' }
    }
    if (answer === 'unclear') return { ring, outcome: 'later' }
    if (answer === 'ended') {
      ended.add(key)
      ring = without(ring, ended)
    }
    ports.hold(ring)
  }
  return { ring, outcome: 'none' }
}

/** With what is kept; keys that are known to have ended do not come back by it. */
async function synced(ring: KeyRing, ports: KeyPorts, ended: ReadonlySet<string> = new Set()): Promise<KeyRing> {
  const stored = await ports.load()
  const both = stored === undefined ? ring : without(merged(ring, stored), ended)
  ports.hold(both)
  return both
}

/** The ring as it is kept; undefined when it could not be. */
async function kept(first: KeyRing, ports: KeyPorts): Promise<KeyRing | undefined> {
  let ring = first
  for (let conflicts = 0; conflicts < maxConflicts; conflicts += 1) {
    ports.hold(ring)
    const outcome = await ports.keep(ring)
    if (outcome === 'kept') return ring
    if (outcome === 'failed') return undefined
    ring = merged(ring, outcome)
  }
  ports.hold(ring)
  return undefined
}
