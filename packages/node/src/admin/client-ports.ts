/** What the admin API asks of the API keys. Requests are judged by the keys themselves; times are milliseconds. */
import type { Environment, KeyUse } from '@comity/core/api-keys/api-key'
import type { KeyRotation } from '@comity/core/api-keys/key-rotation'
import type { KeyScope } from '@comity/core/api-keys/key-scope'
import type { ClientEventType, SignatureFormat } from '@comity/core/events/client-events'
import type { z } from 'zod'
import type { WebhookTest } from './consent-ports.ts'
import type { ApiKeyView, ClientView } from './client-api.ts'
import type { Condition } from './route.ts'

export interface ClientFacts extends Omit<ClientView, 'created' | 'cutOff' | 'warnings'> {
  readonly createdMs: number
  /** False where absent. */
  readonly isCutOff?: boolean | undefined
}

export interface ApiKeyFacts {
  readonly id: string
  readonly client: string
  readonly environment: Environment
  readonly use: KeyUse
  readonly scope: KeyScope
  readonly networks: readonly string[]
  readonly owner: string | undefined
  readonly labels: Readonly<Record<string, string>>
  readonly sequence: boolean
  readonly notBeforeMs: number | undefined
  readonly expiresMs: number | undefined
  readonly lineEndsMs: number | undefined
  readonly lifetimeDays: number | undefined
  readonly succeeds: string | undefined
  readonly state: ApiKeyView['state']
  readonly reason: string | undefined
  readonly issuedBy: ApiKeyView['issuedBy']
  readonly createdMs: number
  readonly endedMs: number | undefined
  readonly lastUse: { readonly atMs: number; readonly network: string; readonly uses: number } | undefined
  readonly rotation: string | undefined
  readonly isCutOff: boolean
}

/** A key that was revoked, and ids: what ended with it, and what of its client's works. */
export interface RevokedKeyFacts {
  readonly key: ApiKeyFacts
  readonly alsoEnded: readonly string[]
  readonly working: readonly string[]
}

/** A key that is disabled, and ids: what was claimed with it and works on, and what of its client's works. */
export interface DisabledKeyFacts {
  readonly key: ApiKeyFacts
  readonly claimed: readonly string[]
  readonly working: readonly string[]
}

export interface RevokeOptions {
  readonly reason?: string | undefined
  /** Whether keys that were claimed with it go on. */
  readonly keepClaimed?: boolean | undefined
}

/** A key that was just made, with its text. */
export interface IssuedKeyFacts {
  readonly key: ApiKeyFacts
  readonly text: string
}

export interface BegunRotationFacts {
  readonly rotation: KeyRotation
  readonly successor: IssuedKeyFacts | undefined
}

interface Page {
  readonly after?: string | undefined
  readonly limit: number
}

/** Every change is in the audit log, in the transaction that makes it. All throw `client-unknown`, `api-key-unknown` or
 *  `key-rotation-unknown` for what is not there, `malformed-request` for what cannot be meant, `record-failed`. */
export interface ApiKeyChangesPort {
  /** Throws `already-exists`, `partner-unknown`. */
  addClient(request: unknown): Promise<ClientFacts>
  changeClient(id: string, change: unknown): Promise<ClientFacts>
  removeClient(id: string): Promise<void>
  issueKey(client: string, request: unknown): Promise<IssuedKeyFacts>
  /** These throw `api-key-state`; this one `key-rotation-refused`, too. */
  changeKey(id: string, change: unknown): Promise<ApiKeyFacts>
  disableKey(id: string, reason: string | undefined): Promise<DisabledKeyFacts>
  enableKey(id: string): Promise<ApiKeyFacts>
  revokeKey(id: string, options: RevokeOptions): Promise<RevokedKeyFacts>
  /** These throw `key-rotation-refused`. */
  rotate(key: string, request: unknown): Promise<BegunRotationFacts>
  move(id: string, to: 'start' | 'drain' | 'complete' | 'roll-back'): Promise<KeyRotation>
  replaceSuccessor(id: string): Promise<BegunRotationFacts>
}

export interface ApiKeysPort {
  /** Makes changes once the condition holds: it is looked at when all changes of keys that came before have ended, those
   *  of clients, of policies and of the clock too, and none comes in between. Without one nothing is waited for. */
  changeIf<T>(condition: Condition | undefined, work: (changes: ApiKeyChangesPort) => Promise<T>): Promise<T>
  /** Refuses a key that is about to be revoked, before anything is waited for; what it gives takes that back. */
  cutOffKey(id: string, options: RevokeOptions): () => void
  /** The same for all keys of a client that is about to be removed. */
  cutOffClient(id: string): () => void
  listClients(): Promise<readonly ClientFacts[]>
  showClient(id: string): Promise<ClientFacts>
  /** Throws `client-unknown` for an id that no client has or had. */
  requireEver(client: string): Promise<void>
  listKeys(
    filter: Page & { readonly client?: string | undefined; readonly state?: ApiKeyView['state'] | undefined },
  ): Promise<readonly ApiKeyFacts[]>
  showKey(id: string): Promise<ApiKeyFacts>
  listRotations(
    filter: Page & {
      readonly client?: string | undefined
      readonly key?: string | undefined
      readonly isRunning?: boolean | undefined
    },
  ): Promise<readonly KeyRotation[]>
  showRotation(id: string): Promise<{
    readonly rotation: KeyRotation
    readonly remaining: readonly { readonly network: string; readonly lastMs: number; readonly uses: number }[]
  }>
}

/** By which the keys judge what they are given. */
export interface ApiKeySchemas {
  readonly client: z.ZodType
  readonly clientChange: z.ZodType
  readonly key: z.ZodType
  readonly keyChange: z.ZodType
  readonly rotation: z.ZodType
}

export interface ClientWebhookFacts {
  readonly id: string
  readonly client: string
  /** Without what may be a secret of the client's. */
  readonly address: string
  readonly events: readonly ClientEventType[]
  readonly format: SignatureFormat
  /** Of Ed25519. */
  readonly publicKeys: readonly string[]
  readonly fingerprints: readonly string[]
  readonly formerEndsMs: number | undefined
  readonly createdMs: number
}

/** A webhook with what its messages are verified by. */
export interface KeyedWebhookFacts {
  readonly webhook: ClientWebhookFacts
  readonly secret?: string | undefined
  readonly publicKey?: string | undefined
}

/** Every change is in the audit log, in the transaction that makes it. All throw `client-unknown`,
 *  `client-webhook-unknown` for one that the client has not, `malformed-request`, `record-failed`. */
export interface ClientWebhooksPort {
  list(client: string): Promise<readonly ClientWebhookFacts[]>
  show(client: string, id: string): Promise<ClientWebhookFacts>
  /** These throw `client-webhook-refused`. */
  add(client: string, request: unknown): Promise<KeyedWebhookFacts>
  replaceSecret(client: string, id: string, order: unknown): Promise<KeyedWebhookFacts>
  remove(client: string, id: string): Promise<void>
  test(client: string, id: string): Promise<WebhookTest>
}

/** By which the webhooks judge what they are given. */
export interface ClientWebhookSchemas {
  readonly webhook: z.ZodType
  readonly secret: z.ZodType
}
