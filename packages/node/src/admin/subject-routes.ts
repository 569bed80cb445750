/** `/v1/subjects`: what is done for a person, by the reference of the holder's own systems. It stands in the body: the
 *  addresses of calls are written down in places that are not under anybody's key. */
import { formatDateTime } from '@comity/core/agreement/date-time'
import { z } from 'zod'
import { subjectErasedSchema, subjectLinkSchema, subjectReadmittedSchema, subjectResetSchema } from './consent-api.ts'
import { recorded } from './changes.ts'
import type { AdminParts } from './ports.ts'
import { defineRoute, type AdminRoute } from './route.ts'
import { text } from './shapes.ts'

const subjectSchema = z.strictObject({
  reference: text(256).meta({ description: 'The person as the holder’s own systems know them.' }),
})

/** Routes of people. None tells whether there is such a person. */
export function subjectRoutes(parts: AdminParts): AdminRoute[] {
  const { subjects } = parts.consent
  return [
    defineRoute({
      method: 'POST',
      path: '/v1/subjects/link',
      tag: 'people',
      summary: 'A link to all consents of a person',
      body: subjectSchema,
      result: subjectLinkSchema,
      problems: ['not-found', 'subject-erased'],
      status: 201,
      async answer({ body: { reference } }) {
        const change = { action: 'subject-link', target: subjects.handleOf(reference) } as const
        const { url, expiresMs } = await recorded(parts, change, () => subjects.createManageLink(reference))
        return { url, expires: formatDateTime(expiresMs) }
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/v1/subjects/reset',
      tag: 'people',
      summary: 'Ends sessions and links to all consents, forgets passkeys',
      body: subjectSchema,
      result: subjectResetSchema,
      problems: ['not-found'],
      async answer({ body: { reference } }) {
        const change = { action: 'subject-reset', target: subjects.handleOf(reference) } as const
        await recorded(parts, change, () => subjects.reset(reference))
        return { reset: true as const }
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/v1/subjects/readmit',
      tag: 'people',
      summary: 'Lets one who was erased be asked again',
      body: subjectSchema,
      result: subjectReadmittedSchema,
      async answer({ body: { reference } }) {
        const change = { action: 'subject-readmit', target: subjects.handleOf(reference) } as const
        await recorded(parts, change, () => subjects.readmit(reference))
        return { readmitted: true as const }
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/v1/subjects/erase',
      tag: 'people',
      summary: 'Erases a person',
      body: subjectSchema,
      result: subjectErasedSchema,
      answer: ({ body: { reference } }) => subjects.erase(reference),
    }),
  ]
}
