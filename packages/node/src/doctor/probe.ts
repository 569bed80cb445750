/** Asks a node's public listener for a sign of life, and notes its clock. */
import type { Clock } from '@comity/core/ports'
import type { PeerTrust } from '../http/connector.ts'
import type { GuardedFetch } from '../http/guarded-fetch.ts'
import type { ClockSample } from './clock-check.ts'

export interface Probe {
  readonly status: number
  /** Undefined when the answer has no usable `Date`. */
  readonly clock: ClockSample | undefined
}

/** Throws what `GuardedFetch` throws. */
export async function probeNode(
  { fetch, clock }: { readonly fetch: GuardedFetch; readonly clock: Clock },
  { name, url, trust }: { readonly name: string; readonly url: string; readonly trust: PeerTrust },
): Promise<Probe> {
  const sentMs = clock.now()
  const answer = await fetch({ url: `${url}/healthz`, trust })
  const receivedMs = clock.now()
  const dateMs = Date.parse(String(answer.headers['date'] ?? ''))
  return {
    status: answer.status,
    clock: Number.isNaN(dateMs) ? undefined : { name, dateMs, sentMs, receivedMs },
  }
}
