/** What limits cost: charges a second in memory, by the kind of limit and for a whole call, and on a Redis or Valkey server
 *  where there is one. */
import { spawn } from 'node:child_process'
import { CallLimits, type LimitedCall } from '@comity/node/limits/call-limits'
import type { Charge, Limit, Limiter } from '@comity/node/limits/limit'
import { limitRuleSchema } from '@comity/node/limits/limit-rule-config'
import { compileRules } from '@comity/node/limits/limit-rules'
import { createRateLimiter } from '@comity/node/limits/rate-limiter'
import { connectRedis } from '@comity/node/limits/redis/redis-connection'
import { RedisLimiter } from '@comity/node/limits/redis/redis-limiter'
import type { BenchOptions } from './arguments.ts'
import { microsOf } from './micros.ts'
import { freePort } from './nginx.ts'
import { temporaryFolder } from './processes.ts'
import { table } from './report.ts'
import { median } from './rounds.ts'

interface Measured {
  readonly name: string
  readonly perSecond: number
  /** CPU of this process alone. */
  readonly micros: number
}

const limits: readonly Limit[] = [
  { name: 'rate', limit: 10_000_000, periodMs: 1_000 },
  { kind: 'sliding-window', name: 'window', limit: 10_000_000, periodMs: 1_000 },
  { kind: 'quota', name: 'quota', units: 1_000_000_000_000, per: 'month' },
  { kind: 'concurrency', name: 'slots', slots: 100_000 },
]
const kindOf = ({ kind = 'gcra' }: Limit) => kind

/** Keys in turn, so that the store is not one entry. */
const keys = Array.from({ length: 1_000 }, (_, index) => `did:web:partner-${index}.example`)
const chargesOf = (limit: Limit): readonly (readonly Charge[])[] => keys.map((key) => [{ limit, key }])

const rules = compileRules(
  [
    { name: 'pace', by: ['participant'], units: 10_000_000, perSeconds: 1 },
    { name: 'at-operation', by: ['participant', 'operation'], units: 10_000_000, perSeconds: 1 },
    { name: 'monthly', by: ['participant'], quota: { units: 1_000_000_000_000, per: 'month' } },
    { name: 'at-once', by: ['participant'], concurrency: 100_000 },
  ].map((rule) => limitRuleSchema.parse(rule)),
)

const call = (caller: string): LimitedCall => ({
  caller,
  alias: undefined,
  address: '192.0.2.1',
  key: `${caller}#k1`,
  client: undefined,
  credential: 'signature',
  product: 'readings',
  hasCosts: false,
  operation: () => ({ id: 'list', units: 1 }),
})
const own = { name: 'readings', limit: 10_000_000, periodMs: 1_000 }

function callsWith(limiter: Limiter, given: typeof rules): CallLimits {
  return new CallLimits({ limiter, rules: given, hash: (text) => text.padEnd(43, '_') })
}

/** One after the other, in this process. */
function inMemory({ policyPace: { rounds, stretchMs } }: BenchOptions): Measured[] {
  let turn = 0
  let nowMs = 1_800_000_000_000
  const charging = (limit: Limit) => {
    const limiter = createRateLimiter()
    const charges = chargesOf(limit)
    const next = () => charges[turn++ % charges.length] as readonly Charge[]
    return () => {
      const verdict = limiter.charge(next(), nowMs++)
      if (!verdict.allowed) throw new Error('the bench must not meet its limits')
      verdict.release?.()
    }
  }
  const calling = (given: typeof rules) => {
    const limited = callsWith(createRateLimiter(), given)
    return () => {
      const key = keys[turn++ % keys.length] as string
      const answer = limited.admit(call(key), { limit: own, key }, nowMs++)
      if (answer instanceof Promise || answer.hold === undefined) throw new Error('the bench must not meet its limits')
      answer.hold.end()
    }
  }
  const variants: [string, () => void][] = [
    ...limits.map((limit): [string, () => void] => [kindOf(limit), charging(limit)]),
    ["a call, the product's rate alone", calling([])],
    ["a call, the product's rate and four rules", calling(rules)],
  ]
  return variants.map(([name, run]) => {
    microsOf(run, stretchMs)
    const micros = median(Array.from({ length: rounds }, () => microsOf(run, stretchMs)))
    return { name, micros, perSecond: 1e6 / micros }
  })
}

/** Calls under way at once, as a node under load has them. */
const atOnce = 64

async function onServer(url: string, { policyPace: { rounds, stretchMs } }: BenchOptions): Promise<Measured[]> {
  await using redis = await connectRedis({ url, timeoutMs: 5_000 })
  const local = createRateLimiter()
  const hash = (text: string) => text
  using limiter = new RedisLimiter({
    redis,
    prefix: 'bench',
    timeoutMs: 5_000,
    leaseMs: 60_000,
    instance: 'b',
    hash,
    local,
  })
  const limited = callsWith(limiter, rules)
  const strict = (charges: readonly Charge[]) =>
    charges.map((charge) => ({ ...charge, onStoreFailure: 'refuse' as const }))
  const variants: [string, (key: string) => Promise<void>][] = [
    ...limits.map((limit): [string, (key: string) => Promise<void>] => [
      kindOf(limit),
      async (key) => {
        const verdict = await limiter.charge(strict([{ limit, key }]), 0)
        verdict.release?.()
      },
    ]),
    [
      "a call, the product's rate and four rules",
      async (key) => {
        const { hold } = await limited.admit(call(key), { limit: own, key }, 0)
        hold?.end()
      },
    ],
  ]
  const measured: Measured[] = []
  for (const [name, run] of variants) {
    await underLoad(run, stretchMs)
    const samples: { perSecond: number; micros: number }[] = []
    for (let round = 0; round < rounds; round++) samples.push(await underLoad(run, stretchMs))
    const of = (read: (sample: { perSecond: number; micros: number }) => number) => median(samples.map(read))
    measured.push({
      name: `${name}, shared`,
      perSecond: of((each) => each.perSecond),
      micros: of((each) => each.micros),
    })
  }
  return measured
}

async function underLoad(run: (key: string) => Promise<void>, stretchMs: number) {
  const before = process.cpuUsage()
  const beganAt = performance.now()
  const endsAt = beganAt + Math.max(200, stretchMs)
  let count = 0
  const worker = async (): Promise<void> => {
    for (; performance.now() < endsAt; count++) await run(keys[count % keys.length] as string)
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
  const { user, system } = process.cpuUsage(before)
  return { perSecond: (count / (performance.now() - beganAt)) * 1_000, micros: (user + system) / count }
}

/** Runs the work against a server of one's own; gives undefined when there is none on this machine. */
async function withServer<T>(work: (url: string) => Promise<T>): Promise<T | undefined> {
  using folder = temporaryFolder()
  for (const command of ['redis-server', 'valkey-server']) {
    const port = await freePort()
    const settings = [
      '--port',
      `${port}`,
      '--bind',
      '127.0.0.1',
      '--dir',
      folder.path,
      '--save',
      '',
      '--appendonly',
      'no',
    ]
    const child = spawn(command, settings, { stdio: 'ignore' })
    const isThere = await new Promise<boolean>((resolve) => {
      child.once('error', () => resolve(false))
      child.once('spawn', () => resolve(true))
    })
    if (!isThere) continue
    const ended = new Promise((resolve) => child.once('exit', resolve))
    try {
      return await work(`redis://127.0.0.1:${port}`)
    } finally {
      child.kill('SIGTERM')
      await ended
    }
  }
  return undefined
}

/** Measures and prints. */
export async function benchLimits(options: BenchOptions, note: (text: string) => void): Promise<void> {
  const here = inMemory(options)
  const shared = await withServer((url) => onServer(url, options))
  if (shared === undefined) note('limits: there is no redis-server or valkey-server on this machine: left out')
  const measured = [...here, ...(shared ?? [])]
  if (options.json) {
    for (const { name, perSecond, micros } of measured)
      console.log(
        JSON.stringify({ name: `limits-${name}`, perSecond: Math.round(perSecond), micros: Number(micros.toFixed(2)) }),
      )
    return
  }
  const rows = measured.map(({ name, perSecond, micros }) => [
    name,
    Math.round(perSecond).toLocaleString('en'),
    micros.toFixed(1),
  ])
  console.log(`
Limits charged a second, 1,000 keys in turn; in memory one after the other, shared with ${atOnce} calls under way (CPU is the node's).

${table([['limit', 'charges a second', 'CPU µs'], ...rows])}`)
}
