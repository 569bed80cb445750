/** Where a consent stands at a moment: what has run out counts as expired from that moment on, whether or not the
 *  clock's step is written down yet. */
import type { ConsentState } from '@comity/core/consent/consent-record'
import type { StoredConsent } from './consent-store.ts'

const open: ReadonlySet<ConsentState> = new Set(['requested', 'deferred'])
const granted: ReadonlySet<ConsentState> = new Set(['active', 'paused'])

/** True while a decision is awaited. */
export function isOpen(state: ConsentState): boolean {
  return open.has(state)
}

/** True while a granted consent has not ended. */
export function isGranted(state: ConsentState): boolean {
  return granted.has(state)
}

/** The state at a moment. */
export function stateAt({ state, lapsesMs, expiresMs }: StoredConsent, nowMs: number): ConsentState {
  if (isOpen(state)) return nowMs < lapsesMs ? state : 'expired'
  if (isGranted(state)) return expiresMs !== undefined && nowMs < expiresMs ? state : 'expired'
  return state
}

/** The row as it counts at a moment. */
export function standingAt(consent: StoredConsent, nowMs: number): StoredConsent {
  const state = stateAt(consent, nowMs)
  return state === consent.state ? consent : { ...consent, state }
}

/** What the recipient is told of its request. A person who said no, or later, or who was erased meanwhile, has
 *  not said that they are known here: until it lapses, such a request looks like one that nobody has read. */
export function stateForRecipient(consent: StoredConsent, nowMs: number): ConsentState {
  const state = stateAt(consent, nowMs)
  const isUndecided = state === 'deferred' || state === 'refused' || (state === 'revoked' && consent.rev === 0)
  if (!isUndecided) return state
  return nowMs < consent.lapsesMs ? 'requested' : 'expired'
}
