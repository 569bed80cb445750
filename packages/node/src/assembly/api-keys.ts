/** API keys, on the parts that the node has. */
import { Problem } from '@comity/core/problems'
import type { ApiKeysParts, KeyNotice } from '../api-keys/api-key-ports.ts'
import { createApiKeyStore } from '../api-keys/api-key-store-sql.ts'
import { openApiKeys, type ApiKeys } from '../api-keys/api-keys.ts'
import { createKeyHashes } from '../api-keys/key-hashes.ts'
import { createKeyUseStore } from '../api-keys/key-use-store-sql.ts'
import type { AuditLog } from '../audit-log/audit-log.ts'
import type { BusinessEvents } from '../telemetry/events.ts'
import { clientNotice } from './client-notices.ts'
import type { Counterparts } from './counterparts.ts'
import type { Foundation } from './foundation.ts'
import type { WebhooksOfNode } from './late-webhooks.ts'

export interface KeyAssembly {
  readonly foundation: Foundation
  readonly auditLog: AuditLog
  readonly counterparts: Pick<Counterparts, 'partners'>
  readonly webhooks: Pick<WebhooksOfNode, 'statement' | 'clientStatement' | 'wake' | 'clients'>
  readonly newId: () => string
}

/** Opens them; their last counts are written when `stack` ends. */
export async function openKeys(parts: KeyAssembly, stack: AsyncDisposableStack): Promise<ApiKeys> {
  const { foundation, auditLog, counterparts, newId } = parts
  const { config, world, database, events, deriveSecret } = foundation
  return stack.use(
    await openApiKeys({
      ...world,
      newId,
      hashes: createKeyHashes({
        pepper: deriveSecret('api-keys hash'),
        macPepper: deriveSecret('api-keys hmac'),
        claimPepper: deriveSecret('api-keys claim'),
      }),
      store: createApiKeyStore(database),
      uses: createKeyUseStore(database),
      environment: config.environment,
      record: (event, statements) => auditLog.append(auditLog.prepare(event), statements),
      webhooks: tellingOf(parts),
      findPartner: (aliasOrDid) => counterparts.partners.find(aliasOrDid),
      onNotice: (notice) => tellNotice(events, notice),
      onError: (error) => (isOfStorage(error) ? events.storageFailed(error) : events.internalError(error)),
    }),
  )
}

/** The operator's own systems are told, and the client of the key. */
function tellingOf({ foundation, webhooks }: KeyAssembly): ApiKeysParts['webhooks'] {
  const renewal = `${foundation.config.listen.public.url.replace(/\/$/, '')}/keys/renewal`
  return {
    statement({ type, payload }) {
      const notice = clientNotice({ type, ...payload }, renewal)
      return [...webhooks.statement({ type, payload: { ...payload } }), ...webhooks.clientStatement(notice)]
    },
    endWith: (client, remove) => webhooks.clients.endWith(client, remove),
    wake: () => webhooks.wake(),
  }
}

function tellNotice(events: BusinessEvents, notice: KeyNotice): void {
  const tell = {
    'key.prepared': events.apiKeyPrepared,
    'key.rotating': events.apiKeyRotating,
    'key.waiting': events.apiKeyWaiting,
    'key.draining': events.apiKeyDraining,
    'key.rolled-back': events.apiKeyRolledBack,
    'key.retired': events.apiKeyRetired,
    'key.expiring': events.apiKeyExpiring,
    'key.disabled': events.apiKeyDisabled,
    'key.revoked': events.apiKeyRevoked,
    'key.unusual': events.apiKeyUnusual,
  } as const
  tell[notice.type](notice)
}

function isOfStorage(error: unknown): boolean {
  return error instanceof Problem && (error.code === 'storage-failed' || error.code === 'record-failed')
}
