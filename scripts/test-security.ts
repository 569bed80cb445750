/** `npm run test:security [-- PART-OF-A-PATH…]`: the security suite. It fails when a part of it is missing, empty or
 *  skipped, so that nobody believes in what did not run. */
import { globSync } from 'node:fs'
import { basename, resolve } from 'node:path'
import { styleText } from 'node:util'
import { reportCounts, runTests, selectFiles } from './run-tests.ts'
import { securityParts } from './security-parts.ts'

const found = globSync('packages/node/tests/security/*.security.test.ts')
const { files, options } = selectFiles(found, process.argv.slice(2))
const counts = await runTests({ files, options, timeoutMs: 300_000 })
const isWhole = process.argv.length === 2
const missing = isWhole ? securityParts.filter((part) => !ran(part)) : []
const skipped = isWhole ? counts.skipped : 0
for (const part of missing) console.error(styleText('red', `no test of \`${part}\` passed`))
if (skipped > 0) console.error(styleText('red', `${skipped} tests of the security suite were skipped`))
reportCounts({ passed: counts.passed, failed: counts.failed + missing.length + skipped })

function ran(part: string): boolean {
  return files.some((file) => basename(file) === `${part}.security.test.ts` && (counts.byFile[resolve(file)] ?? 0) > 0)
}
