/** Kills a recipient with SIGKILL while it keeps what it receives. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import { athleteReference } from './personal-upstream.ts'
import { startReplicaNetwork, storable } from './replica-network.ts'
import { startProcess } from './start-process.ts'

/** Under load that keeps and refreshes, again and again: each replica is whole after each kill, and its exchange known. */
export async function killWhileKeeping(rounds: number): Promise<void> {
  await using network = await startReplicaNetwork()
  const consent = await storable(network)
  const { recipient } = network
  await recipient.stop()
  let node = await startProcess(recipient.configFile)
  try {
    const ask = async (how: string, query = '') => {
      const answer = await fetch(
        `http://127.0.0.1:${node.ports.local}/holder/athletes/athletes/${athleteReference}${query}`,
        {
          headers: {
            'comity-purpose': 'https://w3id.org/dpv#ResearchAndDevelopment',
            'comity-consent': consent,
            'comity-replica': how,
          },
        },
      )
      return { status: answer.status, text: await answer.text(), note: answer.headers.get('comity-replica') ?? '' }
    }
    const queries = ['', '?fields=name', '?fields=height', '?fields=weight', '?fields=born']
    const first = await ask('prefer')
    assert.equal(first.status, 200, first.text)
    for (let round = 0; round < rounds; round += 1) {
      const load = Array.from({ length: 40 }, (_, index) =>
        ask(index % 2 === 0 ? 'refresh' : 'prefer', queries[index % queries.length]).catch(() => undefined),
      )
      await sleep(20 + 60 * (round % 5))
      await node.kill()
      await Promise.all(load)
      assertWhole(recipient.directory)
      node = await startProcess(recipient.configFile)
      for (const query of queries) {
        const answer = await ask('only', query)
        assert.ok(answer.status === 200 || answer.status === 504, answer.text)
        if (answer.status === 200) assert.match(answer.note, /^hit/)
      }
    }
  } finally {
    await node.kill()
    await recipient.start()
  }
}

/** The exchange is recorded first; its content and its place in the table are one write. */
function assertWhole(directory: string): void {
  using database = new DatabaseSync(join(directory, 'data', 'comity.db'), { readOnly: true })
  const rows = database.prepare('SELECT exchange, sealed FROM replicas').all()
  for (const { exchange, sealed } of rows) {
    assert.match(String(sealed), /^sealed:/)
    const known = database.prepare('SELECT 1 FROM exchanges WHERE exchange_id = ?').get(String(exchange))
    assert.ok(known, `there is no record of ${String(exchange)}`)
  }
}
