/** Which pages are generated, and from what. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { adminApiDocument } from './admin-api-document.ts'
import { cliPage } from './cli-page.ts'
import { configurationPage } from './configuration-page.ts'
import { problemsPage } from './problems-page.ts'

/** The sample configuration, which a test loads. */
export const samplePath = 'docs/operating/comity.sample.yaml'

/** Path from the repository's root -> text. */
export function generatedPages(root: string): Record<string, string> {
  return {
    'docs/problems.md': problemsPage(),
    'docs/operating/cli.md': cliPage(),
    'docs/operating/admin-api.json': adminApiDocument(),
    'docs/operating/configuration.md': configurationPage(readFileSync(join(root, samplePath), 'utf8')),
  }
}
