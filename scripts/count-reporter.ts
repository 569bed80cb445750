/** A reporter for `node --test` that writes nothing but `{"passed":…,"failed":…}` of the whole run. */
import type { TestEvent } from 'node:test/reporters'

/** What neither passed nor was skipped counts as failed, cancelled tests (time-outs, a parent that failed) too. The
 *  runner loads a reporter by its default export, the only one in this repository. */
async function* countReporter(source: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  let counts = { passed: 0, failed: 1 }
  for await (const event of source) {
    if (event.type !== 'test:summary' || event.data.file !== undefined) continue
    const { tests, passed, skipped, todo } = event.data.counts
    counts = { passed, failed: tests - passed - skipped - todo }
  }
  yield `${JSON.stringify(counts)}\n`
}

// oxlint-disable-next-line import/no-default-export
export default countReporter
