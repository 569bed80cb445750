/** The bench's end of the load generator, which is a process of its own. */

import { fileURLToPath } from 'node:url'
import { startProcess } from '../processes.ts'
import type { LoadPlan, Order, Probe, RunResult } from './messages.ts'

export interface LoadGenerator extends AsyncDisposable {
  probe(plan: LoadPlan): Promise<Probe>
  /** Resolves when the connections stand and `ahead` signed requests lie ready. */
  prepare(plan: LoadPlan, ahead: number): Promise<void>
  run(durationMs: number): Promise<RunResult>
  close(): Promise<void>
}

type Reply = { readonly result: unknown } | { readonly error: string }

export function startLoadGenerator(): LoadGenerator {
  const file = fileURLToPath(new URL('main.ts', import.meta.url))
  const started = startProcess(process.execPath, [file], { messages: true })
  const ask = (order: Order): Promise<unknown> => {
    const { promise, resolve, reject } = Promise.withResolvers<unknown>()
    const onExit = (): void => reject(new Error('the load generator ended'))
    started.child.once('exit', onExit)
    started.child.once('message', (reply: Reply) =>
      'error' in reply ? reject(new Error(reply.error)) : resolve(reply.result),
    )
    started.child.send(order)
    return promise.finally(() => started.child.off('exit', onExit))
  }
  return {
    probe: (plan) => ask({ do: 'probe', plan }) as Promise<Probe>,
    prepare: async (plan, ahead) => void (await ask({ do: 'prepare', plan, ahead })),
    run: (durationMs) => ask({ do: 'run', durationMs }) as Promise<RunResult>,
    close: async () => void (await ask({ do: 'close' })),
    [Symbol.asyncDispose]: () => started[Symbol.asyncDispose](),
  }
}
