/** `/v1/templates`: what this node asks for, signed and ready. */
import { z } from 'zod'
import { templateSchema } from './consent-api.ts'
import type { ConsentAdminParts } from './consent-ports.ts'
import { templateView } from './consent-views.ts'
import { defineRoute, type AdminRoute } from './route.ts'
import { after, documentOf, limit, named, pageOf, text } from './shapes.ts'

const tag = 'templates'
const keyOf = ({ id, version }: { readonly id: string; readonly version: string }) => `${id}@${version}`

/** Routes of templates. */
export function templateRoutes({ templates }: ConsentAdminParts): AdminRoute[] {
  return [
    defineRoute({
      method: 'GET',
      path: '/v1/templates',
      tag,
      summary: 'Signed templates',
      query: { after, limit: limit(1_000) },
      result: z.array(templateSchema),
      paging: { by: 'after', keyOf },
      answer: async ({ query }) => pageOf(await templates.list(), query, keyOf).map(templateView),
    }),
    defineRoute({
      method: 'POST',
      path: '/v1/templates',
      tag,
      summary: 'Signs a template',
      status: 201,
      body: documentOf<object>('A template as `comity templates sign` reads it.'),
      result: templateSchema,
      problems: ['template-invalid', 'already-exists'],
      answer: async ({ body }) => templateView(await templates.sign(body)),
    }),
    defineRoute({
      method: 'GET',
      path: '/v1/templates/{id}',
      tag,
      summary: 'One template, in its latest version unless told',
      parameters: named('Id of a template.'),
      query: { version: text(100).optional() },
      result: templateSchema,
      problems: ['not-found', 'template-invalid'],
      answer: async ({ path: { id }, query }) => templateView(await templates.find(id, query.version)),
    }),
  ]
}
