/** Kills a holder with SIGKILL under consented load: what was answered is in its log and counted as a use, what a consent
 *  allows is never exceeded, and what was decided stays decided. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseReceipt } from '@comity/core/exchange/receipt'
import {
  athleteOf,
  callLocally,
  consented,
  passOn,
  startConsentNetwork,
  type ConsentNetwork,
  type LocalAnswer,
} from './consent-network.ts'
import { NodeRecords, WatchedLog } from './kill-log.ts'
import { startProcess, type NodeProcess } from './start-process.ts'
import type { TestNode } from './test-network.ts'

export interface ConsentKillReport {
  readonly rounds: number
  readonly answered: number
  readonly uses: number
}

/** Away while the holder is killed; not a failure of ours. */
const passing = new Set([
  'partner-unreachable',
  'partner-timeout',
  'answer-unverified',
  'answer-unusable',
  'outcome-unknown',
  'record-failed',
  'upstream-unavailable',
])

class Run {
  readonly network: ConsentNetwork
  readonly consent: string
  readonly delegation: string
  readonly answered = new Set<string>()
  readonly refused = new Map<string, number>()
  #isStopped = false
  #running: Promise<unknown> = Promise.resolve()
  #writes = 0

  constructor(network: ConsentNetwork, ids: { readonly consent: string; readonly delegation: string }) {
    this.network = network
    this.consent = ids.consent
    this.delegation = ids.delegation
  }

  start(): void {
    const { recipient, delegate } = this.network
    const loops = [
      () => callLocally(recipient, { consent: this.consent }),
      () => callLocally(recipient, { consent: this.consent }),
      () => this.#write(recipient),
      () => callLocally(delegate, { consent: this.delegation }),
    ]
    this.#running = Promise.all(loops.map((call) => this.#repeat(call)))
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    await this.#running
  }

  #write(node: TestNode): Promise<LocalAnswer> {
    const headers = { 'content-type': 'application/json', 'idempotency-key': `"write-${this.#writes++}"` }
    const path = `${athleteOf()}/notes`
    return callLocally(node, { consent: this.consent, path, method: 'POST', body: '{"note":"x"}', headers })
  }

  async #repeat(call: () => Promise<LocalAnswer>): Promise<void> {
    while (!this.#isStopped) {
      const { status, code, headers, text } = await call()
      if (status === 200) this.answered.add(parseReceipt(headers.get('comity-receipt') ?? '').claims.jti)
      else {
        this.refused.set(code, (this.refused.get(code) ?? 0) + 1)
        assert.ok(passing.has(code) || code === 'consent-quota', text)
        await sleep(10)
      }
    }
  }
}

/** The exchanges that were counted: by the consent itself (`''`), or by its delegation. */
function usesOf(directory: string, consent: string): { readonly own: Set<string>; readonly all: Set<string> } {
  const database = new DatabaseSync(join(directory, 'data', 'comity.db'), { readOnly: true, timeout: 5_000 })
  const rows = database.prepare('SELECT link, exchange FROM consent_uses WHERE consent = ?').all(consent)
  database.close()
  const named = (isIn: (link: string) => boolean) =>
    new Set(rows.filter(({ link }) => isIn(String(link))).map(({ exchange }) => String(exchange)))
  return { own: named((link) => link === ''), all: named(() => true) }
}

/** Kills the holder so many times while recipient and delegate read and write under a consent of `maxUses` uses. */
export async function killUnderConsent(rounds: number, maxUses: number): Promise<ConsentKillReport> {
  await using network = await startConsentNetwork()
  const grants = [{ actions: ['read', 'write'] as const, domains: ['sport.body', 'sport.notes'], maxUses }]
  const consent = await consented(network, { grants })
  const delegation = await passOn(network, consent, { actions: ['read'] })
  await network.holder.stop()
  const { directory, configFile } = network.holder
  const records = new NodeRecords(directory)
  const log = new WatchedLog(directory)
  let victim: NodeProcess = await startProcess(configFile)
  const run = new Run(network, { consent, delegation })
  try {
    run.start()
    for (let round = 0; round < rounds; round += 1) {
      await sleep(150 + 200 * Math.random())
      await victim.kill()
      assertCounted(run, directory, records)
      victim = await startProcess(configFile)
    }
    const endMs = performance.now() + 120_000
    while (!run.refused.has('consent-quota') && performance.now() < endMs) await sleep(50)
    await run.stop()
    victim.signal('SIGTERM')
    assert.equal((await victim.ended).code, 0)
  } finally {
    await run.stop().catch(() => undefined)
    await victim.kill()
  }
  const uses = assertCounted(run, directory, records)
  assert.ok(uses <= maxUses, `${uses} uses of ${maxUses}`)
  assert.ok(run.refused.has('consent-quota'), 'all uses are spent in the end')
  assert.equal(uses, maxUses)
  assert.ok((await log.assertWhole()) > 0)
  return { rounds, answered: run.answered.size, uses }
}

/** Every answered exchange is in the log and counts; what is counted is at least what was answered. */
function assertCounted({ answered, consent }: Run, directory: string, records: NodeRecords): number {
  const { own, all } = usesOf(directory, consent)
  for (const exchange of answered) {
    assert.ok(own.has(exchange), `${exchange} was answered and is not counted`)
    assert.ok(records.event(exchange), `${exchange} was answered and is not in the log`)
  }
  assert.deepEqual(all, own, 'what a delegate reads counts for the consent too')
  return own.size
}
