/** Applications that read and write through the recipient's node without a pause, whoever dies meanwhile, and remember
 *  every answer they saw. */
import { setTimeout as sleep } from 'node:timers/promises'
import { testPurpose } from './test-network.ts'

/** An answer that reached an application. */
export interface SeenAnswer {
  readonly key: string | undefined
  readonly status: number
  readonly code: string | undefined
  readonly receipt: string | undefined
  /** Id of the event in the recipient's log. */
  readonly recipientId: string
  readonly isReplayed: boolean
  readonly body: string
}

export interface Load {
  /** Answers since the last call, oldest first. */
  take(): SeenAnswer[]
  /** Writes once more with a key that was used before. */
  write(key: string): Promise<SeenAnswer | undefined>
  stop(): Promise<void>
}

export interface LoadOptions {
  /** Where the recipient's applications call; undefined while that node is down. */
  readonly localPort: () => number | undefined
  readonly readers: number
  readonly writers: number
  /** Tells runs apart in the idempotency keys. */
  readonly seed: number
}

/** The same body for the same key. */
const bodyOf = (key: string): string => JSON.stringify({ name: key })

async function ask(port: number, init: RequestInit & { path: string; key?: string }): Promise<SeenAnswer> {
  const key = init.key
  const headers = {
    'comity-purpose': testPurpose,
    ...(key === undefined ? {} : { 'content-type': 'application/json', 'idempotency-key': `"${key}"` }),
  }
  const response = await fetch(`http://127.0.0.1:${port}/holder/items${init.path}`, { ...init, headers })
  const body = await response.text()
  const isProblem = response.headers.get('content-type') === 'application/problem+json'
  return {
    key,
    status: response.status,
    code: isProblem ? String((JSON.parse(body) as { code: unknown }).code) : undefined,
    receipt: response.headers.get('comity-receipt') ?? undefined,
    recipientId: response.headers.get('comity-exchange') ?? '',
    isReplayed: response.headers.has('idempotency-replayed'),
    body,
  }
}

/** Starts it; `stop` lets running calls end. */
export function startLoad({ localPort, readers, writers, seed }: LoadOptions): Load {
  const seen: SeenAnswer[] = []
  const stopping = new AbortController()
  let writes = 0

  /** Undefined when the connection broke: then the application saw nothing. */
  async function call(init: RequestInit & { path: string; key?: string }): Promise<SeenAnswer | undefined> {
    const port = localPort()
    const answer = port === undefined ? undefined : await ask(port, init).catch(() => undefined)
    if (answer === undefined) await sleep(20)
    return answer
  }
  const read = () => call({ path: `/items/${1 + (writes % 1_000)}` })
  const write = (key: string) => call({ path: '/items', method: 'POST', key, body: bodyOf(key) })
  async function repeat(next: () => Promise<SeenAnswer | undefined>): Promise<void> {
    while (!stopping.signal.aborted) {
      const answer = await next()
      if (answer !== undefined) seen.push(answer)
    }
  }
  const running = [
    ...Array.from({ length: readers }, () => repeat(read)),
    ...Array.from({ length: writers }, () => repeat(() => write(`write-${seed}-${writes++}`))),
  ]
  return {
    take: () => seen.splice(0),
    write,
    async stop() {
      stopping.abort()
      await Promise.all(running)
    },
  }
}
