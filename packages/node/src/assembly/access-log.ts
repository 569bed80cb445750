/** Who was given what about a person, when and why: the uses of their consents, told by the log's own entries. */
import { partOfId } from '@comity/core/exchange/composite-parts'
import { parseExchangeEvent, type ExchangeEvent } from '@comity/core/exchange/event'
import { Problem } from '@comity/core/problems'
import type { AuditLog } from '../audit-log/audit-log.ts'
import type { ConsentStore } from '../consent/holder/consent-store.ts'
import type { ConsentUse, ConsentUsesStore } from '../consent/check/uses-store.ts'
import type { PersonAccessLog, PersonUse } from '../people/ports.ts'

export interface AccessLogParts {
  readonly auditLog: Pick<AuditLog, 'readEvent'>
  readonly store: Pick<ConsentStore, 'list'>
  readonly uses: ConsentUsesStore
  /** Erasures of a subject (handle), in any order. */
  readonly loadErasures: (subject: string) => Promise<readonly { readonly erasedMs: number }[]>
  /** The evidence of an exchange, to be verified offline. Throws `proof-pending`, `receipt-unknown`. */
  readonly exportEvidence: (exchange: string) => Promise<unknown>
}

const maxConsents = 1_000

export function createAccessLog({ auditLog, store, uses, ...parts }: AccessLogParts): PersonAccessLog {
  const useOf = async (exchange: string): Promise<PersonUse | undefined> => {
    const event = await auditLog.readEvent(partOfId(exchange)?.exchange ?? exchange)
    if (event?.body === undefined || event.type !== 'exchange') return undefined
    const { time, peer, role, ...whole } = parseExchangeEvent(event.body)
    const { consent, product, purpose, released, withheld } = useIn(whole, exchange)
    if (role !== 'holder' || consent === undefined || peer === undefined || product === undefined) return undefined
    const { id } = consent
    return {
      exchange,
      consent: id,
      atMs: time,
      caller: peer,
      product,
      purpose,
      released: released ?? [],
      withheld: withheld ?? [],
    }
  }
  return {
    async list({ subject, consent, before, limit }) {
      const consents =
        consent === undefined ? (await store.list({ subject, limit: maxConsents })).map(({ id }) => id) : [consent]
      const pages = await Promise.all(consents.map((id) => uses.list(id, { before, limit })))
      const newest = pages.flat().toSorted(newestFirst).slice(0, limit)
      const told = await Promise.all(newest.map(({ exchange }) => useOf(exchange)))
      return told.filter((use) => use !== undefined)
    },
    find: useOf,
    async erasedMs({ subject, consent }) {
      const moments = (await parts.loadErasures(subject)).map(({ erasedMs }) => erasedMs)
      const last = moments.length === 0 ? undefined : Math.max(...moments)
      if (last === undefined || consent === undefined) return last
      // An erasure ends all consents: the uses of one are all from before it, or all from after.
      const [newest] = await uses.list(consent, { limit: 1 })
      return newest !== undefined && newest.atMs <= last ? last : undefined
    },
    async proof(exchange) {
      try {
        return await parts.exportEvidence(partOfId(exchange)?.exchange ?? exchange)
      } catch (error) {
        if (error instanceof Problem && error.code === 'proof-pending') return undefined
        throw error
      }
    },
  }
}

/** What a use was of: of an exchange by itself, or of a part of a composite. */
function useIn(event: Partial<ExchangeEvent>, id: string) {
  const part = partOfId(id)
  return part === undefined ? event : (event.parts?.find(({ name }) => name === part.name) ?? {})
}

/** Ids of exchanges are UUIDv7: their order is that of time. */
function newestFirst(a: ConsentUse, b: ConsentUse): number {
  if (a.exchange === b.exchange) return 0
  return a.exchange < b.exchange ? 1 : -1
}
