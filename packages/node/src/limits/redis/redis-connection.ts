/** The connection to a Redis or Valkey server. Its client is loaded only here, so only where a server is configured. */
import { Problem } from '@comity/core/problems'
import { createClient } from '@redis/client'
import type { RedisPort } from './redis-limiter.ts'

export interface RedisConnection extends RedisPort, AsyncDisposable {
  /** What the server tells of itself, by name. */
  info(): Promise<ReadonlyMap<string, string>>
}

export interface RedisConnectionOptions {
  /** `redis://` or `rediss://`, with credentials where the server asks for them. */
  readonly url: string
  /** How long to wait for a connection, at first and whenever it is made anew. */
  readonly timeoutMs: number
}

/** A lost connection is made anew after so long, doubled up to the longest. */
const reconnectMs = { first: 50, longest: 2_000 }

/** Connects. Gives the connection also when there is none yet: it is tried for ever, and until then every command rejects
 *  at once. Throws `config-invalid` for an address that is none. */
export async function connectRedis({ url, timeoutMs }: RedisConnectionOptions): Promise<RedisConnection> {
  if (!/^rediss?:$/.test(URL.parse(url)?.protocol ?? '')) {
    throw new Problem(
      'config-invalid',
      'the address of the store of the limits must begin with `redis://` or `rediss://`',
    )
  }
  const client = clientOf({ url, timeoutMs })
  // Whoever asks learns it; without a listener the process would end.
  client.on('error', () => undefined)
  const connecting = client.connect().catch(() => undefined)
  let timer: NodeJS.Timeout | undefined
  await Promise.race([connecting, new Promise((resolve) => (timer = setTimeout(resolve, timeoutMs)))])
  clearTimeout(timer)
  return {
    evalSha: (sha, keys, texts) => client.evalSha(sha, { keys: [...keys], arguments: [...texts] }),
    eval: (script, keys, texts) => client.eval(script, { keys: [...keys], arguments: [...texts] }),
    zRem: (key, member) => client.zRem(key, member),
    async info() {
      const text = String(await client.info())
      return new Map(text.split('\r\n').flatMap((line) => (line.includes(':') ? [splitAt(line)] : [])))
    },
    async [Symbol.asyncDispose]() {
      if (client.isReady) await client.close().catch(() => undefined)
      if (client.isOpen) client.destroy()
    },
  }
}

function clientOf({ url, timeoutMs }: RedisConnectionOptions) {
  try {
    return createClient({
      url,
      disableOfflineQueue: true,
      socket: {
        connectTimeout: timeoutMs,
        reconnectStrategy: (retries) => Math.min(reconnectMs.first * 2 ** Math.min(retries, 10), reconnectMs.longest),
      },
    })
  } catch {
    // The error of the client may have the address in it, and so the password.
    throw new Problem(
      'config-invalid',
      'the address of the store of the limits cannot be read; in a password `%` is written `%25`, `/` `%2F`, `@` `%40`',
    )
  }
}

function splitAt(line: string): [string, string] {
  const at = line.indexOf(':')
  return [line.slice(0, at), line.slice(at + 1)]
}
