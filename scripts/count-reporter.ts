/** A reporter for `node --test` that writes nothing but `{"passed":…,"failed":…,"skipped":…,"byFile":{…}}`. */
import type { TestEvent } from 'node:test/reporters'

/** What neither passed nor was skipped counts as failed, cancelled tests (time-outs, a parent that failed) too. The
 *  runner loads a reporter by its default export, the only one in this repository. */
async function* countReporter(source: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  let counts = { passed: 0, failed: 1, skipped: 0 }
  const byFile: Record<string, number> = {}
  for await (const event of source) {
    if (event.type !== 'test:summary') continue
    const { tests, passed, skipped, todo } = event.data.counts
    if (event.data.file === undefined)
      counts = { passed, failed: tests - passed - skipped - todo, skipped: skipped + todo }
    else byFile[event.data.file] = passed
  }
  yield `${JSON.stringify({ ...counts, byFile })}\n`
}

// oxlint-disable-next-line import/no-default-export
export default countReporter
