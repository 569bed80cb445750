/** All migrations of a node's database, in order. New ones go to the end; those that stand are never edited. */
import { adminRepeatsSchema } from '../admin/repeats-schema.ts'
import { agreementsMigrations } from '../agreements/agreements-schema.ts'
import { apiKeysSchema, keyLinesMigrations } from '../api-keys/api-keys-schema.ts'
import { auditLogMigrations, sealedEventsMigrations } from '../audit-log/audit-log-schema.ts'
import { consentsMigrations, requestFingerprintSchema } from '../consent/holder/consent-schema.ts'
import { delegationEndSchema, heldConsentsMigrations } from '../consent/held/held-schema.ts'
import { consentUsesMigrations } from '../consent/check/uses-schema.ts'
import { dutiesByPersonSchema, dutiesSchema, sealedDutiesSchema } from '../duties/duties-schema.ts'
import { eventsMigrations } from '../events/events-schema.ts'
import {
  exchangeOpeningsSchema,
  exchangeSchema,
  sealedExchangesSchema,
  signedReadsSchema,
} from '../gateway/exchange-schema.ts'
import { referencesSchema } from '../gateway/references/reference-schema.ts'
import { partnerCountrySchema, partnerSealingMigrations, partnersSchema } from '../partners/partners-schema.ts'
import { peopleSchema } from '../people/people-schema.ts'
import { policiesSchema } from '../policy/policies-schema.ts'
import { productsSchema } from '../products/products-schema.ts'
import { replicasSchema } from '../replicas/replicas-schema.ts'
import { statusMigrations } from '../status/status-schema.ts'
import { vaultSchema } from '../vault/vault-schema.ts'
import { limitsSchema } from '../limits/limits-schema.ts'
import { quotasSchema } from '../quotas/quotas-schema.ts'
import { usageSchema } from '../usage/usage-schema.ts'
import { clientWebhooksSchema, deadLettersSchema, webhooksSchema } from '../webhooks/webhooks-schema.ts'
import { rightsSchema } from '../rights/rights-schema.ts'
import type { Migration } from '../storage/migrations.ts'
import { keyLineCountsMigrations } from './key-line-counts-schema.ts'

export const nodeMigrations: readonly Migration[] = [
  { name: '0001-audit-log', statements: auditLogMigrations },
  { name: '0002-exchanges', statements: exchangeSchema },
  { name: '0003-partners', statements: partnersSchema },
  { name: '0004-products', statements: productsSchema },
  { name: '0005-agreements', statements: agreementsMigrations },
  { name: '0006-events', statements: eventsMigrations },
  { name: '0007-signed-reads', statements: signedReadsSchema },
  { name: '0008-vault', statements: [...vaultSchema, ...sealedEventsMigrations, ...sealedExchangesSchema] },
  { name: '0009-consents', statements: consentsMigrations },
  { name: '0010-consent-uses', statements: consentUsesMigrations },
  { name: '0011-people', statements: peopleSchema },
  { name: '0012-webhooks', statements: webhooksSchema },
  { name: '0013-held-consents', statements: heldConsentsMigrations },
  { name: '0014-duties', statements: dutiesSchema },
  { name: '0015-rights', statements: rightsSchema },
  { name: '0016-status', statements: statusMigrations },
  { name: '0017-partner-country', statements: partnerCountrySchema },
  { name: '0018-sealed-duties', statements: sealedDutiesSchema },
  { name: '0019-request-fingerprints', statements: requestFingerprintSchema },
  { name: '0020-delegation-ends', statements: delegationEndSchema },
  { name: '0021-answer-references', statements: referencesSchema },
  { name: '0022-duties-by-person', statements: dutiesByPersonSchema },
  { name: '0023-policies', statements: policiesSchema },
  { name: '0024-sealing', statements: [...exchangeOpeningsSchema, ...partnerSealingMigrations] },
  { name: '0025-replicas', statements: replicasSchema },
  { name: '0026-dead-letters', statements: deadLettersSchema },
  { name: '0027-api-keys', statements: apiKeysSchema },
  { name: '0028-limits', statements: limitsSchema },
  { name: '0029-admin-repeats', statements: adminRepeatsSchema },
  { name: '0030-usage', statements: usageSchema },
  { name: '0031-quotas', statements: quotasSchema },
  { name: '0032-key-lines', statements: [...keyLinesMigrations, ...keyLineCountsMigrations] },
  { name: '0033-client-webhooks', statements: clientWebhooksSchema },
]
