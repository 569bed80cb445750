/** Every route of the admin API. */
import { nodeStatusSchema } from './admin-api.ts'
import { agreementRoutes } from './agreement-routes.ts'
import { apiKeyRoutes, keyRotationRoutes } from './api-key-routes.ts'
import { clientRoutes } from './client-routes.ts'
import { clientWebhookRoutes } from './client-webhook-routes.ts'
import { consentChangeRoutes } from './consent-change-routes.ts'
import { consentRoutes } from './consent-routes.ts'
import { dutyRoutes } from './duty-routes.ts'
import { evidenceRoutes } from './evidence-routes.ts'
import { forecastRoutes } from './forecast-routes.ts'
import { heldConsentRoutes } from './held-consent-routes.ts'
import { keyRoutes } from './key-routes.ts'
import { partnerRoutes } from './partner-routes.ts'
import { policyRoutes } from './policy-routes.ts'
import type { AdminParts } from './ports.ts'
import { productRoutes } from './product-routes.ts'
import { quotaRoutes } from './quota-routes.ts'
import { relationshipRoutes } from './relationship-routes.ts'
import { replicaRoutes } from './replica-routes.ts'
import { rightsRoutes } from './rights-routes.ts'
import { defineRoute, type AdminRoute } from './route.ts'
import { subjectRoutes } from './subject-routes.ts'
import { templateRoutes } from './template-routes.ts'
import { usageRoutes } from './usage-routes.ts'
import { webhookRoutes } from './webhook-routes.ts'

/** Every route that needs the token. */
export function adminRoutes(parts: AdminParts): readonly AdminRoute[] {
  return [
    defineRoute({
      method: 'GET',
      path: '/v1/status',
      tag: 'node',
      summary: 'DID, fingerprint, addresses, state',
      result: nodeStatusSchema,
      answer: () => parts.status(),
    }),
    ...partnerRoutes(parts),
    ...productRoutes(parts),
    ...agreementRoutes(parts),
    ...keyRoutes(parts),
    ...clientRoutes(parts),
    ...clientWebhookRoutes(parts),
    ...apiKeyRoutes(parts),
    ...keyRotationRoutes(parts),
    ...evidenceRoutes(parts),
    ...consentRoutes(parts.consent),
    ...consentChangeRoutes(parts.consent, parts),
    ...heldConsentRoutes(parts.consent),
    ...templateRoutes(parts.consent),
    ...rightsRoutes(parts.consent),
    ...dutyRoutes(parts.consent),
    ...policyRoutes(parts.policy),
    ...relationshipRoutes(parts.policy),
    ...replicaRoutes(parts),
    ...subjectRoutes(parts),
    ...quotaRoutes(parts),
    ...usageRoutes(parts),
    ...forecastRoutes(parts),
    ...webhookRoutes({ ...parts, webhooks: parts.consent.webhooks }),
  ]
}
