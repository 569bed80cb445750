/** `/v1/subjects`: what is done for a person, by the reference of the holder's own systems. It stands in the body: the
 *  addresses of calls are written down in places that are not under anybody's key. */
import { formatDateTime } from '@comity/core/agreement/date-time'
import { z } from 'zod'
import type { SubjectErasedView, SubjectLinkView } from './consent-api.ts'
import type { ConsentAdminParts } from './consent-ports.ts'
import { parseInput } from './input.ts'
import type { AdminRoute } from './routing.ts'

const subjectSchema = z.strictObject({ reference: z.string().min(1).max(256) })

/** Routes of people. None tells whether there is such a person. */
export function subjectRoutes({ subjects }: ConsentAdminParts): AdminRoute[] {
  return [
    {
      method: 'POST',
      path: '/v1/subjects/link',
      status: 201,
      async answer({ body }): Promise<SubjectLinkView> {
        const { url, expiresMs } = await subjects.createManageLink(parseInput(subjectSchema, body).reference)
        return { url, expires: formatDateTime(expiresMs) }
      },
    },
    {
      method: 'POST',
      path: '/v1/subjects/erase',
      answer: ({ body }): Promise<SubjectErasedView> => subjects.erase(parseInput(subjectSchema, body).reference),
    },
  ]
}
