/** Limits that replicas share, on a Redis or Valkey server. Loaded only where the configuration names one. */
import { encodeBase64url } from '@comity/core/bytes/base64url'
import type { Config } from '../config/config.ts'
import { createRateLimiter } from '../limits/rate-limiter.ts'
import { connectRedis } from '../limits/redis/redis-connection.ts'
import { RedisLimiter } from '../limits/redis/redis-limiter.ts'
import type { Foundation } from './foundation.ts'

type SharedStore = Exclude<Config['limits']['store'], 'memory'>['redis']
type Parts = Pick<Foundation, 'world' | 'vault' | 'identity' | 'metrics' | 'events' | 'readSecretValue'>

/** Connects and counts; a server that is not there yet is used when it comes. */
export async function openSharedLimiter(
  { world, vault, identity, metrics, events, readSecretValue }: Parts,
  { url, prefix, timeoutMs, leaseSeconds }: SharedStore,
  stack: AsyncDisposableStack,
): Promise<RedisLimiter> {
  const redis = stack.use(await connectRedis({ url: await readSecretValue(url), timeoutMs }))
  const local = createRateLimiter()
  const limiter = stack.use(
    new RedisLimiter({
      redis,
      prefix,
      timeoutMs,
      leaseMs: leaseSeconds * 1_000,
      instance: encodeBase64url(world.randomBytes(9)),
      hash: (text) => vault.keyedHash(text, identity.did).slice(0, 22),
      local,
      onUnreadable: events.limitUnreadable,
      onChange: (isUp, error) => (isUp ? events.limitsBack() : events.limitsLost(error)),
    }),
  )
  metrics.gauge('limit_keys', () => local.size)
  metrics.gauge('limit_store_up', () => (limiter.isUp ? 1 : 0))
  return limiter
}
