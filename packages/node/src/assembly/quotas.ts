/** Quotas beyond the rules: who asks for more, what was granted, who is told. */
import { quotaDecided } from '@comity/core/events/event-types'
import { Problem } from '@comity/core/problems'
import type { AuditLog } from '../audit-log/audit-log.ts'
import { createSignedCaller } from '../http/signed-call.ts'
import type { CallLimitsParts } from '../limits/call-limits.ts'
import type { ProductCatalogue } from '../products/products.ts'
import { QuotaAsks } from '../quotas/quota-asks.ts'
import { QuotaGrants, type RuleQuota } from '../quotas/quota-grants.ts'
import { createQuotaNear, pruneQuotaNotices } from '../quotas/quota-near.ts'
import type { QuotaAsker } from '../quotas/quota-request.ts'
import { QuotaRequests, type QuotaRecord } from '../quotas/quota-requests.ts'
import { createQuotaStore } from '../quotas/quota-store-sql.ts'
import type { Statement } from '../storage/database.ts'
import { createTurns } from '../storage/turns.ts'
import { linkOf, type Counterparts } from './counterparts.ts'
import type { Foundation } from './foundation.ts'
import type { ApiKeysOfNode } from './late-api-keys.ts'
import type { Webhooks } from '../webhooks/webhooks.ts'

export interface QuotasOfNode {
  readonly raised: NonNullable<CallLimitsParts['raised']>
  readonly onUsed: NonNullable<CallLimitsParts['onUsed']>
  /** As the holder. */
  readonly requests: QuotaRequests
  /** As who asks partners. */
  readonly asks: QuotaAsks
  /** Durable when it resolves, together with the statements. */
  readonly record: (event: QuotaRecord, statements: readonly Statement[]) => Promise<unknown>
  /** What calls of a participant, client or key are counted under; undefined for one that is none. */
  readonly countedAs: (name: string, value: string) => Promise<string | undefined>
  /** Forgets what is over. */
  prune(): Promise<void>
}

interface Parts {
  readonly foundation: Foundation
  readonly auditLog: AuditLog
  readonly catalogue: Pick<ProductCatalogue, 'get'>
  readonly counterparts: Counterparts
  readonly webhooks: Webhooks
  readonly apiKeys: Pick<ApiKeysOfNode, 'loaded'>
  readonly newId: () => string
}

/** No period is longer. */
const longestPeriodMs = 31 * 86_400_000

/** Opens them; what was granted before counts again. */
export async function openQuotas(parts: Parts): Promise<QuotasOfNode> {
  const { foundation, auditLog, counterparts, webhooks, newId } = parts
  const { config, world, database, identity, events } = foundation
  const { clock } = world
  const store = createQuotaStore(database)
  const grants = new QuotaGrants()
  for (const granted of await store.grants(clock.now())) grants.add(granted)
  const record = (event: QuotaRecord, statements: readonly Statement[]) =>
    auditLog.append(auditLog.prepare(event), statements)
  const shared = { store, clock, newId, record, webhooks }
  const requests = new QuotaRequests({
    ...shared,
    grants,
    turns: createTurns(),
    quotaOf: (limit, asker) => quotaOf(parts, limit, asker),
    isPartner: (did) => counterparts.partners.findByDid(did) !== undefined,
    isOffered: (product) => parts.catalogue.get(product) !== undefined,
    outbox: counterparts.outbox,
  })
  const authenticationKey = () => identity.authenticationKey()
  const call = createSignedCaller({ ...world, authenticationKey, client: counterparts.client })
  const skewMs = config.limits.clockSkewSeconds * 1_000
  const asks = new QuotaAsks({ ...shared, skewMs, call, partnerOf: (name) => partnerOf(counterparts, name) })
  counterparts.handlers.set(quotaDecided, (event) => asks.handle(event))
  counterparts.whenTaken.push(() => webhooks.wake())
  const execute = (statements: readonly Statement[]) => database.execute(statements)
  const percent = config.limits.nearQuotaPercent
  const near = createQuotaNear({
    percent,
    webhooks,
    clientOfKey: async (id) => (await parts.apiKeys.loaded?.showKey(id))?.client,
    execute,
    onError: events.storageFailed,
  })
  const rules = new Map(config.limits.rules.map(({ name, by }) => [name, by]))
  return {
    requests,
    asks,
    record,
    countedAs: (name, value) => countedAs(parts, name, value),
    raised(limit, key) {
      if (limit.kind !== 'quota') return undefined
      const units = grants.unitsOf({ ...limit, by: rules.get(limit.name) ?? [] }, key, clock.now())
      return units === limit.units ? undefined : { ...limit, units }
    },
    onUsed({ limit: { name: limit, units, per }, key, remaining, period: { startMs, lengthMs } }) {
      near({ limit, per, units, key, used: units - remaining, startMs, endMs: startMs + lengthMs })
    },
    async prune() {
      grants.prune(clock.now())
      await execute([pruneQuotaNotices(clock.now() - longestPeriodMs)])
    },
  }
}

function partnerOf({ partners }: Counterparts, name: string) {
  const partner = partners.find(name)
  if (partner === undefined) throw new Problem('partner-unknown', `there is no partner \`${name.slice(0, 200)}\``)
  return linkOf(partner)
}

/** Rules by `client` or `key` count who has none as the participant. */
async function countedAs(
  { counterparts: { partners }, apiKeys: { loaded } }: Parts,
  name: string,
  value: string,
): Promise<string | undefined> {
  const isClient = (id: string) => loaded?.listClients().some((client) => client.id === id) === true
  if (name === 'client' && isClient(value)) return value
  if (name === 'key') {
    const key = await loaded?.showKey(value).catch(() => undefined)
    if (key !== undefined) return loaded?.lineOf(value)
    const [did = '', fragment] = value.split('#')
    if (fragment !== undefined) return partners.findByDid(did) && value
  }
  if (value.startsWith('client:')) return isClient(value.slice('client:'.length)) ? value : undefined
  return partners.find(value)?.did
}

const identities: readonly string[] = ['participant', 'client', 'key']

/** Nobody is told of rules that are not about them. */
function quotaOf(
  { foundation: { config }, counterparts }: Parts,
  limit: string,
  { participant, client }: QuotaAsker,
): RuleQuota | undefined {
  const rule = config.limits.rules.find(({ name }) => name === limit)
  if (rule?.quota === undefined || !rule.by.some((name) => identities.includes(name))) return undefined
  const { participants, clients } = rule.for ?? {}
  const partner = counterparts.partners.findByDid(participant)
  // Anybody can make a DID and sign with it.
  if (partner === undefined && client === '') return undefined
  const alias = partner?.alias ?? ''
  const isParticipant = participants?.includes(participant) === true || participants?.includes(alias) === true
  if ((participants !== undefined && !isParticipant) || clients?.includes(client) === false) return undefined
  return { name: rule.name, by: rule.by, ...rule.quota }
}
