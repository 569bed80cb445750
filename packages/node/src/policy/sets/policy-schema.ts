/** The schema that policies are checked against, as text in Cedar's own notation. */
import { readFileSync } from 'node:fs'

let text: string | undefined

/** `comity.cedarschema`, as `comity policy schema` prints it. */
export function policySchemaText(): string {
  text ??= readFileSync(new URL('comity.cedarschema', import.meta.url), 'utf8')
  return text
}
