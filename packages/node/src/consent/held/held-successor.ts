/** The consent that took the place of another: the holder names it in the last step of the old one. It is looked for when
 *  a call meets the old one's end before the notices of both have arrived. */
import { Problem } from '@comity/core/problems'
import { LRUCache } from 'lru-cache'
import { refreshHeld, requirePartner } from './held-consents.ts'
import type { HeldConsent } from './held-consent.ts'
import type { HeldParts } from './held-parts.ts'
import { verifyShownConsent } from './held-verify.ts'

/** Gives the successor if this node holds it, it is about the same person and it is active. */
export type FindSuccessor = (held: HeldConsent) => Promise<HeldConsent | undefined>

/** A consent that has no successor is not asked about with every call. */
const pauseMs = 5_000
const maxPaused = 1_000

export function createSuccessorSearch(parts: HeldParts): FindSuccessor {
  const running = new Map<string, Promise<HeldConsent | undefined>>()
  const pausedUntil = new LRUCache<string, number>({ max: maxPaused })
  return (held) => {
    if ((pausedUntil.get(held.id) ?? 0) > parts.clock.now()) return Promise.resolve(undefined)
    const search = running.get(held.id) ?? find(parts, held).finally(() => running.delete(held.id))
    running.set(held.id, search)
    return search.then((found) => {
      if (found === undefined) pausedUntil.set(held.id, parts.clock.now() + pauseMs)
      return found
    })
  }
}

async function find(parts: HeldParts, held: HeldConsent): Promise<HeldConsent | undefined> {
  if (held.delegation !== undefined) return undefined
  try {
    const shown = await parts.source.show(requirePartner(parts, held.source), held.consent)
    const { state, reason } = await verifyShownConsent(parts, held, shown)
    if (state !== 'superseded' || reason?.code !== 'renewed' || reason.text === undefined) return undefined
    await refreshHeld(parts, held)
    const next = (await parts.store.findByConsent(reason.text)).find((one) => isOwn(one, held))
    const read = next && (await refreshHeld(parts, next))
    return read?.state === 'active' && read.subject === held.subject ? read : undefined
  } catch (error) {
    // The refusal of the old one is what the application is told.
    if (error instanceof Problem) return undefined
    throw error
  }
}

function isOwn({ holder, delegation }: HeldConsent, held: HeldConsent): boolean {
  return holder === held.holder && delegation === undefined
}
