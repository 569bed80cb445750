/** By which the services judge what the admin API gives them: its reference shows them. */
import type { AdminParts } from '../admin/ports.ts'
import { partnerInputSchema } from '../partners/partner.ts'
import { productAdditionSchema } from '../products/product-config.ts'

export const adminSchemas: AdminParts['schemas'] = { partner: partnerInputSchema, product: productAdditionSchema }
