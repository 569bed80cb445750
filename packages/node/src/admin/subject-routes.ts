/** `/v1/subjects`: what is done for a person, by the reference of the holder's own systems. It stands in the body: the
 *  addresses of calls are written down in places that are not under anybody's key. */
import { formatDateTime } from '@comity/core/agreement/date-time'
import { z } from 'zod'
import type { SubjectErasedView, SubjectLinkView, SubjectReadmittedView, SubjectResetView } from './consent-api.ts'
import { recorded } from './changes.ts'
import { parseInput } from './input.ts'
import type { AdminParts } from './ports.ts'
import type { AdminRoute } from './routing.ts'

const subjectSchema = z.strictObject({ reference: z.string().min(1).max(256) })

/** Routes of people. None tells whether there is such a person. */
export function subjectRoutes(parts: AdminParts): AdminRoute[] {
  const { subjects } = parts.consent
  return [
    {
      method: 'POST',
      path: '/v1/subjects/link',
      status: 201,
      async answer({ body }): Promise<SubjectLinkView> {
        const { reference } = parseInput(subjectSchema, body)
        const change = { action: 'subject-link', target: subjects.handleOf(reference) } as const
        const { url, expiresMs } = await recorded(parts, change, () => subjects.createManageLink(reference))
        return { url, expires: formatDateTime(expiresMs) }
      },
    },
    {
      method: 'POST',
      path: '/v1/subjects/reset',
      async answer({ body }): Promise<SubjectResetView> {
        const { reference } = parseInput(subjectSchema, body)
        const change = { action: 'subject-reset', target: subjects.handleOf(reference) } as const
        await recorded(parts, change, () => subjects.reset(reference))
        return { reset: true }
      },
    },
    {
      method: 'POST',
      path: '/v1/subjects/readmit',
      async answer({ body }): Promise<SubjectReadmittedView> {
        const { reference } = parseInput(subjectSchema, body)
        const change = { action: 'subject-readmit', target: subjects.handleOf(reference) } as const
        await recorded(parts, change, () => subjects.readmit(reference))
        return { readmitted: true }
      },
    },
    {
      method: 'POST',
      path: '/v1/subjects/erase',
      answer: ({ body }): Promise<SubjectErasedView> => subjects.erase(parseInput(subjectSchema, body).reference),
    },
  ]
}
