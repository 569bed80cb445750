/** The admin API's answers about people's requests and duties, version 1, and the types that the `comity` command reads
 *  them as. Times are ISO 8601. */
import { dutyKinds, dutyOutcomes } from '@comity/core/duties/duty-receipt'
import { rightsRequestSchema, rightsStatuses, rightsTypes } from '@comity/core/rights/rights-request'
import { z } from 'zod'
import { did, type View } from './shapes.ts'

const reportState = z.enum(['open', 'done', 'refused'])
const receipt = z.string().optional().meta({ description: 'The debtor’s signed receipt, a compact JWS.' })

/** What one participant owes another about a person's data. */
export const dutySchema = z
  .strictObject({
    id: z.string(),
    side: z
      .enum(['imposed', 'owed'])
      .meta({ description: '`imposed` on another by this node, or `owed` by this node.' }),
    kind: z.enum(dutyKinds),
    state: reportState,
    overdue: z.boolean().meta({ description: 'Open, and its time is over.' }),
    due: z.string(),
    created: z.string(),
    consent: z.string().optional(),
    holder: did,
    debtor: did,
    subject: z.string().optional().meta({ description: 'Pairwise id; absent once the person was erased.' }),
    request: z.string().optional().meta({ description: 'The request of the person that it serves, at the holder.' }),
    fields: z.array(z.string()).optional().meta({
      description: 'Field paths: for `rectify` those that were put right, for others all that the duty is about.',
    }),
    outcome: z.enum(dutyOutcomes).optional(),
    closed: z.string().optional(),
    receipt,
  })
  .meta({ id: 'Duty' })
export type DutyView = View<typeof dutySchema>

/** A duty after a report. */
export const dutyReportSchema = dutySchema
  .extend({
    isNew: z.boolean().meta({
      description: 'False when it had been reported before; that report stands, and nothing was signed or sent.',
    }),
    discharged: z.array(z.string()).meta({
      description:
        'Ids of the other duties about the same person that the report discharged, each with its own receipt.',
    }),
  })
  .meta({ id: 'DutyReport' })
export type DutyReportView = View<typeof dutyReportSchema>

const { scope, corrections, message } = rightsRequestSchema.shape

/** What a person asked about their data. */
export const rightsViewSchema = z
  .strictObject({
    id: z.string(),
    type: z.enum(rightsTypes),
    status: z.enum(rightsStatuses),
    received: z.string(),
    due: z.string(),
    overdue: z.boolean(),
    extension: z.string().optional().meta({ description: 'Why it takes longer, as the person is told.' }),
    closed: z.string().optional(),
    lifted: z.string().optional().meta({ description: 'When a fulfilled restriction ended.' }),
    scope: scope.meta({ description: 'Absent once the person was erased, as are the next two.' }),
    corrections,
    message,
    stores: z
      .array(
        z.strictObject({
          product: z.string(),
          state: reportState,
          reported: z.string().optional(),
          ground: z.string().optional(),
        }),
      )
      .meta({ description: 'The own systems that report, by product.' }),
    recipients: z
      .array(
        z.strictObject({
          duty: z.string(),
          debtor: did,
          consent: z.string().optional(),
          state: reportState,
          outcome: z.enum(dutyOutcomes).optional(),
          receipt,
        }),
      )
      .meta({ description: 'The participants that were given data and were told.' }),
  })
  .meta({ id: 'RightsRequest' })
export type RightsRequestView = View<typeof rightsViewSchema>

/** `POST /v1/rights/requests`. */
export const openedRightsSchema = rightsViewSchema
  .extend({
    isNew: z.boolean().meta({
      description:
        'False when the person has asked for just that and it is open: this is that one, and nobody is told again.',
    }),
  })
  .meta({ id: 'OpenedRightsRequest' })
export type OpenedRightsView = View<typeof openedRightsSchema>
