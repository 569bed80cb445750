/** Replicas as the admin API shows them: what is kept and why, never what is in it. */
import { z } from 'zod'
import { did, type View } from './shapes.ts'

export const replicaSchema = z
  .strictObject({
    id: z.string(),
    holder: did,
    product: z.string(),
    version: z.string().optional(),
    operation: z.string().optional(),
    agreement: z.string().optional(),
    purpose: z.string().optional(),
    consent: z.string().optional(),
    exchange: z.string().meta({ description: 'Id of the exchange that brought it.' }),
    fetched: z.string().meta({ description: 'RFC 3339.' }),
    validated: z.string().meta({ description: 'When the holder said last that it would answer the same.' }),
    confirmed: z.string().optional().meta({
      description: 'When the holder said last that the consent stands; absent for what is about nobody.',
    }),
    until: z.string().optional().meta({ description: 'End of the retention.' }),
    hasContent: z.boolean().meta({ description: 'False when the content was taken away and own fields are left.' }),
    hasOwnFields: z.boolean(),
  })
  .meta({ id: 'Replica' })
export type ReplicaView = View<typeof replicaSchema>
