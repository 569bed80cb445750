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

/** One round's: the ports, what is known of keys, and what was kept by somebody else when it was read last. */
class Round {
  readonly ports: KeyPorts
  readonly ended: Set<string>
  stored: KeyRing | undefined

  constructor(ports: KeyPorts, ended: Set<string>) {
    this.ports = ports
    this.ended = ended
  }

  /** With what is kept; keys that are known to have ended do not come back by it. */
  async synced(ring: KeyRing): Promise<KeyRing> {
    this.stored = await this.ports.load()
    const both = this.stored === undefined ? without(ring, this.ended) : merged(ring, this.stored, this.ended)
    this.ports.hold(both)
    return both
  }

  /** The ring as it is kept; undefined when it could not be. */
  async kept(first: KeyRing): Promise<KeyRing | undefined> {
    let ring = first
    for (let conflicts = 0; conflicts < maxConflicts; conflicts += 1) {
      this.ports.hold(ring)
      const outcome = await this.ports.keep(ring)
      if (outcome === 'kept') return ring
      if (outcome === 'failed') return undefined
      this.stored = outcome
      ring = merged(ring, outcome, this.ended)
    }
    this.ports.hold(ring)
    return undefined
  }

  /** What cannot be kept now is used all the same: the keys that are kept hold this one already. */
  async use(ring: KeyRing, key: string): Promise<void> {
    await this.kept(using(ring, key, this))
  }

  async ask(key: string): Promise<KeyAnswer> {
    const answer = await this.ports.ask(key)
    if (answer === 'ended') this.ended.add(key)
    // It was not for good: a backup was restored, say.
    else if (answer !== 'unclear') this.ended.delete(key)
    return answer
  }
}

/** Gets the next key of a ring whose key in use is about to end. A key that was got before, by this process or by another
 *  with the same store, is tried first: where it is in use already, the node may not tell it again. `ended` are the keys
 *  that this process knows to have ended: whatever others keep, they are not asked about; the round adds to them. */
export async function renewKey(first: KeyRing, ports: KeyPorts, ended: Set<string>): Promise<Renewal> {
  const round = new Round(ports, ended)
  let ring = await round.synced(first)
  let claim: Claim | undefined
  for (let turns = 0; turns < maxTurns; turns += 1) {
    const tried = await tryNext(ring, round)
    if (tried.outcome === 'moved' || tried.outcome === 'failed') return tried.outcome === 'moved' ? 'moved' : 'later'
    ring = await round.synced(tried.ring)
    if (ring.next.some((key) => !tried.ring.next.includes(key))) continue
    // A key of which nothing is learned is no reason to do without the next one, which may be another.
    if (claim !== undefined && tried.outcome === 'unclear') return 'later'
    if (claim === 'refused') return 'refused'
    claim = await ports.claim(ring.current)
    if (claim === 'unclear') return 'later'
    // Refused where another process was faster: what it got may be kept by now.
    if (claim !== 'refused') ring = claimed(ring, claim.key)
  }
  return 'later'
}

/** Finds a good key after the one in use was refused; all are asked, also those that have ended. True when another is in
 *  use. */
export async function recoverKey(first: KeyRing, ports: KeyPorts, ended: Set<string>): Promise<boolean> {
  const round = new Round(ports, ended)
  const ring = await round.synced(first)
  const keys = new Set([ring, first, round.stored ?? first].flatMap(keysOf))
  for (let asked = 1; asked <= maxAsked; asked += 1) {
    let isUnclear = false
    for (const key of keys) {
      const answer = await round.ask(key)
      if (answer === 'works') {
        await round.use(ring, key)
        return key !== first.current
      }
      isUnclear ||= answer === 'unclear'
    }
    if (!isUnclear) return false
    if (asked < maxAsked) await ports.pause(asked)
  }
  return false
}

interface Tried {
  readonly ring: KeyRing
  /** `failed`: what must be kept before it is tried could not be. */
  readonly outcome: 'moved' | 'failed' | 'unclear' | 'none'
}

/** Tries the next keys, until one works. */
async function tryNext(first: KeyRing, round: Round): Promise<Tried> {
  let ring = first
  let isUnclear = false
  for (const key of first.next) {
    const safe = await round.kept(ring)
    if (safe === undefined) return { ring, outcome: 'failed' }
    ring = safe
    const answer = await round.ask(key)
    if (answer === 'works') {
      await round.use(ring, key)
      return { ring, outcome: 'moved' }
    }
    isUnclear ||= answer === 'unclear'
    ring = without(ring, round.ended)
    round.ports.hold(ring)
  }
  return { ring, outcome: isUnclear ? 'unclear' : 'none' }
}
