/** Everything that happens in a node and matters to its operator, named once: each function logs its event and counts
 *  it. Whoever wants an alert looks here for what there is. */
import type { Logger, LogFields } from './logger.ts'
import type { Metrics } from './metrics.ts'

/** One finished exchange. Holds nothing of what was asked or answered. */
export interface ExchangeSummary {
  readonly direction: 'inbound' | 'outbound'
  readonly id: string
  /** The partner's DID, once it is proved. */
  readonly peer: string | undefined
  /** Public id of the API key that it came with. */
  readonly key?: string | undefined
  readonly product: string | undefined
  readonly operation: string | undefined
  readonly status: number
  readonly outcome: 'allowed' | 'denied' | 'failed'
  /** Of the problem; a partner's may be one that this version does not know. */
  readonly code: string | undefined
  /** Of a failure, for the operator alone: what was wrong, without a value. */
  readonly reason?: string | undefined
  readonly durationMs: number
  readonly upstreamMs: number | undefined
}

const levels = {
  'node.started': 'info',
  'node.crashed': 'error',
  'node.draining': 'info',
  'node.stopped': 'info',
  'exchange.allowed': 'debug',
  'exchange.denied': 'info',
  'exchange.failed': 'warn',
  'exchange.unknown': 'warn',
  'agreement.imported': 'info',
  'agreement.terminated': 'info',
  'key.announced': 'info',
  'key.rotated': 'info',
  'key.retired': 'info',
  'api-key.prepared': 'info',
  'api-key.rotating': 'info',
  'api-key.waiting': 'warn',
  'api-key.draining': 'info',
  'api-key.rolled_back': 'info',
  'api-key.retired': 'info',
  'api-key.expiring': 'warn',
  'api-key.disabled': 'info',
  'api-key.revoked': 'info',
  'api-key.unusual': 'warn',
  'partner.added': 'info',
  'partner.removed': 'info',
  'product.added': 'info',
  'product.life_set': 'info',
  'product.removed': 'info',
  'field.unlabelled': 'warn',
  'notice.delivered': 'info',
  'notice.delayed': 'warn',
  'notice.received': 'info',
  'consent.changed': 'info',
  'policy.set': 'info',
  'policy.failed': 'warn',
  'policy.warned': 'warn',
  'duty.overdue': 'warn',
  'webhook.delivered': 'debug',
  'webhook.delayed': 'warn',
  'webhook.dead': 'error',
  'client-webhook.delayed': 'info',
  'client-webhook.dead': 'warn',
  'connection.refused': 'debug',
  'storage.failed': 'error',
  'limits.lost': 'error',
  'limits.unreadable': 'error',
  'limits.back': 'info',
  'partner.unusable': 'warn',
  'admin.refused': 'warn',
  'admin.token_weak': 'warn',
  'error.internal': 'error',
} as const

/** Name of an event, as it stands in the log's field `event` and in the meter `comity_events_total`. */
export type EventName = keyof typeof levels

/** The names, for the reference and for tests. */
export const eventNames = Object.keys(levels) as readonly EventName[]

/** One function for each business event. */
export type BusinessEvents = ReturnType<typeof createEvents>

/** The events of one node, on its logger and its meters. */
export function createEvents(logger: Logger, metrics: Metrics) {
  const tell = (name: EventName, message: string, fields: LogFields = {}): void => {
    metrics.event(name)
    const level = levels[name]
    if (logger.isEnabled(level)) logger[level](message, { event: name, ...fields })
  }
  return {
    ...nodeEvents(tell),
    ...identityEvents(tell),
    ...apiKeyEvents(tell),
    ...partnerEvents(tell),
    ...consentEvents(tell),
    ...policyEvents(tell),
    exchange: (summary: ExchangeSummary) => tellExchange(summary, logger, metrics),
  }
}

type Tell = (name: EventName, message: string, fields?: LogFields) => void

/** Called for every exchange: only the meters are touched unless the line is wanted. */
function tellExchange(summary: ExchangeSummary, logger: Logger, metrics: Metrics): void {
  const { direction, outcome, code, durationMs } = summary
  metrics.exchange(summary, durationMs, summary.upstreamMs)
  if (code !== undefined) metrics.denial(direction, code)
  const name = `exchange.${outcome}` as const
  metrics.event(name)
  const level = levels[name]
  if (logger.isEnabled(level)) logger[level](`exchange ${outcome}`, { event: name, ...summary })
}

function nodeEvents(tell: Tell) {
  return {
    nodeStarted: (node: { did: string; version: string; addresses: readonly string[]; startedInMs: number }) =>
      tell('node.started', 'the node is ready', node),
    nodeDraining: (reason: string) => tell('node.draining', 'no new calls; running ones end', { reason }),
    nodeStopped: () => tell('node.stopped', 'the node has stopped'),
    /** An exchange that a crash left without an outcome was closed as unknown. */
    exchangeUnknown: (exchange: { id: string; peer: string | undefined }) =>
      tell('exchange.unknown', 'an exchange was closed as unknown after a crash', exchange),
    connectionRefused: (code: string) =>
      tell('connection.refused', 'a connection brought no readable request', { code }),
    /** Beyond the limit of failures only counted. */
    adminRefused: () => tell('admin.refused', 'a call of the admin API did not show its token'),
    adminTokenWeak: () =>
      tell('admin.token_weak', 'the admin token is so short that it can be guessed: make another one'),
    storageFailed: (error: unknown) => tell('storage.failed', 'the storage does not take writes', { error }),
    /** The server that counts the limits of all replicas cannot be asked; each limit says what becomes of calls. */
    limitUnreadable: (error: unknown) =>
      tell('limits.unreadable', 'a key of the limits holds something else than the node wrote', { error }),
    limitsLost: (error: unknown) => tell('limits.lost', 'the store of the limits cannot be asked', { error }),
    limitsBack: () => tell('limits.back', 'the store of the limits counts again'),
    /** An error that is nobody's fault but the node's, whole. */
    internalError: (error: unknown, exchangeId?: string) =>
      tell('error.internal', 'an unexpected error', { error, exchangeId }),
  }
}

function identityEvents(tell: Tell) {
  return {
    keyAnnounced: (key: { keyid: string; activeAt: string }) =>
      tell('key.announced', 'the successor of a key was published', { id: key.keyid, activeAt: key.activeAt }),
    keyRotated: (key: { keyid: string }) => tell('key.rotated', 'a new key signs from now on', { id: key.keyid }),
    keyRetired: (key: { keyid: string }) => tell('key.retired', 'a key is no longer accepted', { id: key.keyid }),
  }
}

/** An API key by its public id, of which client, and in a word why. */
interface ApiKeyFacts {
  readonly key: string
  readonly client: string
  readonly reason?: string | undefined
  /** Ids: of the key with which this one was claimed, of its client's keys that work. */
  readonly claimedWith?: string | undefined
  readonly working?: readonly string[] | undefined
}

function apiKeyEvents(tell: Tell) {
  const fields = ({ key, client, reason, claimedWith, working }: ApiKeyFacts): LogFields => ({
    id: key,
    client,
    reason,
    claimedWith,
    working: working?.join(' '),
  })
  return {
    apiKeyRotating: (key: ApiKeyFacts) =>
      tell('api-key.rotating', 'an API key has a successor; both work until its end', fields(key)),
    apiKeyWaiting: (key: ApiKeyFacts) =>
      tell('api-key.waiting', 'an API key cannot end: no successor of it works', fields(key)),
    apiKeyPrepared: (key: ApiKeyFacts) =>
      tell('api-key.prepared', 'an API key will have a successor; it is not valid yet', fields(key)),
    apiKeyDraining: (key: ApiKeyFacts) =>
      tell('api-key.draining', 'an API key ends soon: its clients should use its successor', fields(key)),
    apiKeyRolledBack: (key: ApiKeyFacts) =>
      tell('api-key.rolled_back', 'the rotation of an API key was taken back: it stays', fields(key)),
    apiKeyRetired: (key: ApiKeyFacts) => tell('api-key.retired', 'an API key has ended', fields(key)),
    apiKeyExpiring: (key: ApiKeyFacts) => tell('api-key.expiring', 'an API key ends soon', fields(key)),
    apiKeyDisabled: (key: ApiKeyFacts) => tell('api-key.disabled', 'an API key is disabled', fields(key)),
    apiKeyRevoked: (key: ApiKeyFacts) => tell('api-key.revoked', 'an API key was revoked', fields(key)),
    apiKeyUnusual: (key: ApiKeyFacts) => tell('api-key.unusual', 'an API key is used as it never was', fields(key)),
  }
}

/** Nothing here names a person: the log of the node has the rest, sealed. */
function consentEvents(tell: Tell) {
  return {
    /** A step in a consent's life; `id` is the log entry's. */
    consentChanged: (step: { id: string }) => tell('consent.changed', 'a consent took a step', step),
    dutyOverdue: (duty: { id: string; kind: string; side: string }) =>
      tell('duty.overdue', 'a duty about a person was not reported in time', {
        id: duty.id,
        reason: `${duty.side}: ${duty.kind}`,
      }),
    webhookDelivered: (message: { id: string; type: string; endpoint: string }) =>
      tell('webhook.delivered', 'a system of the operator took a message', webhookFields(message)),
    webhookDelayed: (message: { id: string; type: string; endpoint: string; reason: string }) =>
      tell('webhook.delayed', 'a system of the operator did not take a message; it is sent again', {
        ...webhookFields(message),
        reason: message.reason,
      }),
    webhookDead: (message: { id: string; type: string; endpoint: string; reason: string }) =>
      tell('webhook.dead', 'a system of the operator did not take a message, which is a dead letter now', {
        ...webhookFields(message),
        reason: message.reason,
      }),
    ...clientWebhookEvents(tell),
  }
}

/** What does not arrive is the client's loss, and no fault of this node's operator. */
function clientWebhookEvents(tell: Tell) {
  type Message = { id: string; type: string; endpoint: string; client: string; reason: string }
  const fields = ({ client, reason, ...message }: Message) => ({ ...webhookFields(message), client, reason })
  return {
    clientWebhookDelayed: (message: Message) =>
      tell(
        'client-webhook.delayed',
        'the webhook of a client did not take a message; it is sent again',
        fields(message),
      ),
    clientWebhookDead: (message: Message) =>
      tell(
        'client-webhook.dead',
        'the webhook of a client did not take a message, which is a dead letter now',
        fields(message),
      ),
  }
}

function policyEvents(tell: Tell) {
  return {
    policiesSet: (set: { version: string }) => tell('policy.set', 'another set of policies is in force', set),
    /** A call was denied since policies could not be applied to it. Ids are the policies' own; none of the engine. */
    policyFailed: (failure: { policies: readonly string[]; reason: string }) =>
      tell('policy.failed', 'policies could not be applied to a call, which was denied', failure),
    /** Of the set that came into force. */
    policyWarned: (warning: {
      source: string
      line?: number | undefined
      policy?: string | undefined
      reason: string
    }) => tell('policy.warned', 'a policy may not mean what it says', warning),
  }
}

const webhookFields = ({ id, type, endpoint }: { id: string; type: string; endpoint: string }): LogFields => ({
  id,
  type,
  peer: endpoint,
})

function partnerEvents(tell: Tell) {
  return {
    agreementImported: (agreement: { id: string; peer: string }) =>
      tell('agreement.imported', 'an agreement with both signatures counts from now on', agreement),
    agreementTerminated: (agreement: { id: string; by: string }) =>
      tell('agreement.terminated', 'an agreement ended; its next call is refused', agreement),
    partnerAdded: (partner: { alias: string; did: string }) => tell('partner.added', 'a partner was added', partner),
    /** The operator's caller was told that the answer cannot be used, the log why. */
    partnerUnusable: (error: unknown) =>
      tell('partner.unusable', 'what a partner answered a call of the operator cannot be used', { error }),
    partnerRemoved: (partner: { alias: string }) => tell('partner.removed', 'a partner was removed', partner),
    productLifeSet: (product: { id: string; version: string }) =>
      tell('product.life_set', 'when a version of a product ends, or what follows it, was said anew', product),
    productAdded: (product: { id: string; version: string }) => tell('product.added', 'a product was added', product),
    productRemoved: (product: { id: string }) => tell('product.removed', 'a product was removed', product),
    /** An answer had a field that no label covers, so it did not leave. */
    fieldUnlabelled: (found: { product: string; operation: string; field: string }) =>
      tell('field.unlabelled', 'an answer of the API has a field without a label, which does not leave', found),
    /** Security event tokens (RFC 8417) to and from partners. `type` is the event's URI. */
    noticeDelivered: (notice: { id: string; peer: string; type: string }) =>
      tell('notice.delivered', 'a partner acknowledged a security event', notice),
    noticeDelayed: (notice: { id: string; peer: string; type: string; reason: string }) =>
      tell('notice.delayed', 'a partner did not take a security event; it is sent again', notice),
    noticeReceived: (notice: { id: string; peer: string; type: string }) =>
      tell('notice.received', 'a partner sent a security event', notice),
  }
}
