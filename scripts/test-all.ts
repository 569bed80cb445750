/** `npm run test:all`: the long tests (`*.all.test.ts`) and the ones against other people's programs
 *  (`conformance/`). Brings the programs they need where it may; says which it could not. */
import { globSync } from 'node:fs'
import { reportCounts, runTests, selectFiles } from './run-tests.ts'
import { ensureTools } from './system-tools.ts'

const found = globSync([
  'packages/*/{src,tests}/**/*.all.test.ts',
  '{bench,examples}/**/*.all.test.ts',
  'conformance/**/*.test.ts',
])
const { files, options } = selectFiles(
  found.filter((file) => !file.includes('node_modules')),
  process.argv.slice(2),
)
for (const line of await ensureTools()) console.error(line)
// One file at a time: these tests load the machine themselves, and some of them measure.
reportCounts(await runTests({ files, options, concurrency: 1, timeoutMs: 25 * 60_000 }))
