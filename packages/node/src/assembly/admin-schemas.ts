/** By which the services judge what the admin API gives them: its reference shows them. */
import type { AdminParts } from '../admin/ports.ts'
import { keyChangeSchema, keyRequestSchema } from '../api-keys/api-key-record.ts'
import { clientChangeSchema, clientRequestSchema } from '../api-keys/client.ts'
import { rotationRequestSchema } from '../api-keys/rotation-request.ts'
import { partnerInputSchema } from '../partners/partner.ts'
import { productAdditionSchema } from '../products/product-config.ts'
import { clientWebhookRequestSchema, secretOrderSchema } from '../webhooks/client-webhook.ts'

export const adminSchemas: AdminParts['schemas'] = {
  partner: partnerInputSchema,
  product: productAdditionSchema,
  apiKeys: {
    client: clientRequestSchema,
    clientChange: clientChangeSchema,
    key: keyRequestSchema,
    keyChange: keyChangeSchema,
    rotation: rotationRequestSchema,
  },
  clientWebhooks: { webhook: clientWebhookRequestSchema, secret: secretOrderSchema },
}
