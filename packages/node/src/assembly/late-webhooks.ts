/** Webhooks, loaded at the start where there are any or messages wait, else when a client gets its first. */
import { loadLater } from './load-later.ts'
import type { ClientEndpoints, ClientWebhooks } from '../webhooks/client-webhooks.ts'
import type { Webhooks } from '../webhooks/webhooks.ts'
import type { OpenWebhooks, WebhookAssembly } from './notices.ts'

/** Webhooks as the rest of the node sees them. */
export interface WebhooksOfNode extends Webhooks {
  /** Those of clients. */
  readonly clients: ClientWebhooks & Pick<ClientEndpoints, 'endWith'>
}

/** Rows in one of them are to be looked after from the start. */
const tables = ['webhook_messages', 'client_webhooks'] as const

/** What is opened ends with `stack`. */
export async function openWebhooksWhenNeeded(
  parts: WebhookAssembly,
  stack: AsyncDisposableStack,
): Promise<WebhooksOfNode> {
  const late = new LateWebhooks(parts, stack.use(new AsyncDisposableStack()))
  if (await isInUse(parts)) await late.load()
  return late
}

async function isInUse({ foundation: { config, database } }: WebhookAssembly): Promise<boolean> {
  if (config.webhooks.length > 0) return true
  for (const table of tables) if ((await database.get(`SELECT 1 FROM ${table} LIMIT 1`)) !== undefined) return true
  return false
}

/** Until it is loaded nobody is told of anything: there are no webhooks. */
class LateWebhooks implements WebhooksOfNode {
  readonly #parts: WebhookAssembly
  readonly #stack: AsyncDisposableStack
  readonly clients: WebhooksOfNode['clients']
  #loading: Promise<OpenWebhooks> | undefined
  #open: OpenWebhooks | undefined

  constructor(parts: WebhookAssembly, stack: AsyncDisposableStack) {
    this.#parts = parts
    this.#stack = stack
    this.clients = loadLater<WebhooksOfNode['clients']>(async () => (await this.load()).clients, {
      list: async (client) => this.#open?.clients.list(client) ?? [],
      endWith: (client, remove) => this.#open?.clients.endWith(client, remove) ?? remove([]),
    })
  }

  async load(): Promise<OpenWebhooks> {
    this.#loading ??= import('./notices.ts').then(({ openWebhooks }) => openWebhooks(this.#parts))
    try {
      const opened = await this.#loading
      if (this.#open === undefined) this.#stack.use(opened.webhooks)
      return (this.#open = opened)
    } catch (error) {
      this.#loading = undefined
      throw error
    }
  }

  hasListener(...given: Parameters<Webhooks['hasListener']>): boolean {
    return this.#open?.webhooks.hasListener(...given) ?? false
  }

  hasClientListener(...given: Parameters<Webhooks['hasClientListener']>): boolean {
    return this.#open?.webhooks.hasClientListener(...given) ?? false
  }

  statement(...given: Parameters<Webhooks['statement']>): ReturnType<Webhooks['statement']> {
    return this.#open?.webhooks.statement(...given) ?? []
  }

  clientStatement(...given: Parameters<Webhooks['clientStatement']>): ReturnType<Webhooks['clientStatement']> {
    return this.#open?.webhooks.clientStatement(...given) ?? []
  }

  wake(): void {
    this.#open?.webhooks.wake()
  }

  async settled(): Promise<void> {
    await this.#open?.webhooks.settled()
  }

  async list(limit?: number): ReturnType<Webhooks['list']> {
    return (await this.#open?.webhooks.list(limit)) ?? []
  }

  async replay(which: Parameters<Webhooks['replay']>[0]): Promise<number> {
    return (await this.#open?.webhooks.replay(which)) ?? 0
  }

  async testOwn(address: string): ReturnType<Webhooks['testOwn']> {
    return (await this.load()).webhooks.testOwn(address)
  }

  async testOfClient(webhook: Parameters<Webhooks['testOfClient']>[0]): ReturnType<Webhooks['testOfClient']> {
    return (await this.load()).webhooks.testOfClient(webhook)
  }

  async prune(): Promise<void> {
    await this.#open?.webhooks.prune()
  }

  /** What was loaded ends with the stack. */
  async [Symbol.asyncDispose](): Promise<void> {}
}
