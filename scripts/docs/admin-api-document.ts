/** `docs/operating/admin-api.json`: the admin API as an OpenAPI document, of the schemas that judge its calls. */
import { openApiOf } from '../../packages/node/src/admin/openapi.ts'
import { adminRoutes } from '../../packages/node/src/admin/admin-routes.ts'
import { adminSchemas } from '../../packages/node/src/assembly/admin-schemas.ts'

/** The text of the file. */
export function adminApiDocument(): string {
  // No route is called, so none needs its services.
  const routes = adminRoutes({ consent: {}, policy: {}, schemas: adminSchemas } as never)
  return `${JSON.stringify(openApiOf(routes), null, 2)}\n`
}
