/** `npm test [-- PART-OF-A-PATH… --test-name-pattern=…]`: every test that needs nothing but the repository itself;
 *  those of the security suite are run by `npm run test:security`. */
import { globSync } from 'node:fs'
import { reportCounts, runTests, selectFiles } from './run-tests.ts'

const quick = [
  'packages/*/src/**/*.test.ts',
  'packages/*/tests/**/*.test.ts',
  '{bench,examples,scripts}/**/*.test.ts',
  'architecture.test.ts',
]
const found = globSync(quick).filter(
  (file) => !/\.(?:all|security)\.test\.ts$/.test(file) && !file.includes('node_modules'),
)
const { files, options } = selectFiles(found, process.argv.slice(2))
reportCounts(await runTests({ files, options, timeoutMs: 300_000 }))
