/** One of several processes that race for the limits of one server: tells its parent what it was admitted. */
import { createRateLimiter } from '../src/limits/rate-limiter.ts'
import { connectRedis } from '../src/limits/redis/redis-connection.ts'
import { RedisLimiter } from '../src/limits/redis/redis-limiter.ts'

const [url = '', prefix = '', instance = '', calls = '0'] = process.argv.slice(2)
const redis = await connectRedis({ url, timeoutMs: 10_000 })
const limiter = new RedisLimiter({
  redis,
  prefix,
  timeoutMs: 60_000,
  leaseMs: 60_000,
  instance,
  hash: (text) => text,
  local: createRateLimiter(),
})
const limits = {
  rate: { name: 'rate', limit: 1_000, periodMs: 86_400_000 },
  window: { kind: 'sliding-window', name: 'window', limit: 700, periodMs: 86_400_000 },
  quota: { kind: 'quota', name: 'quota', units: 500, per: 'month' },
} as const
const slots = { kind: 'concurrency', name: 'slots', slots: 3 } as const
const admitted: Record<string, number> = { rate: 0, window: 0, quota: 0, overlap: 0 }
let running = 0

// All begin at once.
process.send?.('ready')
await new Promise((resolve) => process.once('message', resolve))

await Promise.all(
  Array.from({ length: Number(calls) }, async (_, number) => {
    await new Promise((resolve) => setTimeout(resolve, number % 1_000))
    for (const [name, limit] of Object.entries(limits)) {
      const verdict = await limiter.charge([{ limit, key: 'a', onStoreFailure: 'refuse' }], 0)
      if (verdict.allowed) admitted[name] = (admitted[name] ?? 0) + 1
    }
    const { allowed, release } = await limiter.charge([{ limit: slots, key: 'a', onStoreFailure: 'refuse' }], 0)
    if (!allowed) return
    if (++running > slots.slots) admitted['overlap'] = (admitted['overlap'] ?? 0) + 1
    await new Promise((resolve) => setTimeout(resolve, 1))
    running--
    release?.()
  }),
)
process.send?.(admitted)
limiter[Symbol.dispose]()
await redis[Symbol.asyncDispose]()
process.disconnect?.()
