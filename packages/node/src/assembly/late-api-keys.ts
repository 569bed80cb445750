/** API keys, opened at the start where there are clients, else with the first command that is about them. */
import { parseApiKey, parseApiKeyName } from '@comity/core/api-keys/api-key'
import { Problem } from '@comity/core/problems'
import type { ApiKeys } from '../api-keys/api-keys.ts'
import type { KeysPort } from '../gateway/key-port.ts'
import type { KeyAssembly } from './api-keys.ts'

/** API keys as the rest of the node sees them. */
export interface ApiKeysOfNode {
  /** For the gateway; where there are no clients every key is unknown, without anything being loaded. */
  readonly port: KeysPort
  /** Opens them if they are not open. Throws what `openKeys` throws. */
  load(): Promise<ApiKeys>
  readonly loaded: ApiKeys | undefined
  /** Nothing where none were opened. */
  tend(): Promise<void>
}

/** Opens them now where there is a client in the database. What is opened ends with `stack`. */
export async function openKeysWhenNeeded(parts: KeyAssembly, stack: AsyncDisposableStack): Promise<ApiKeysOfNode> {
  const late = new LateKeys(parts, stack.use(new AsyncDisposableStack()))
  const isInUse = (await parts.foundation.database.get('SELECT 1 FROM clients LIMIT 1')) !== undefined
  if (isInUse) await late.load()
  return late
}

class LateKeys implements ApiKeysOfNode {
  readonly #parts: KeyAssembly
  readonly #stack: AsyncDisposableStack
  #loading: Promise<ApiKeys> | undefined
  loaded: ApiKeys | undefined
  readonly port: KeysPort

  constructor(parts: KeyAssembly, stack: AsyncDisposableStack) {
    this.#parts = parts
    this.#stack = stack
    this.port = portOf(this, parts.foundation.world.randomBytes(32))
  }

  async load(): Promise<ApiKeys> {
    this.#loading ??= import('./api-keys.ts').then(({ openKeys }) => openKeys(this.#parts, this.#stack))
    try {
      return (this.loaded = await this.#loading)
    } catch (error) {
      this.#loading = undefined
      throw error
    }
  }

  async tend(): Promise<void> {
    await this.loaded?.tend()
  }
}

/** Nobody has `decoy`, the key of every signature while there are no keys. */
function portOf(late: Pick<ApiKeysOfNode, 'loaded'>, decoy: Uint8Array): KeysPort {
  const nobody = () =>
    new Problem('key-unknown', 'this node knows no such API key, or its secret or signature does not match')
  return {
    authenticate(presented, at, nowMs) {
      if (late.loaded !== undefined) return late.loaded.judge.authenticate(presented, at, nowMs)
      parseApiKey(presented)
      throw nobody()
    },
    macKeyOf(keyid) {
      if (late.loaded !== undefined) return late.loaded.judge.macKeyOf(keyid)
      parseApiKeyName(keyid)
      return {
        secret: decoy,
        admit() {
          throw nobody()
        },
      }
    },
    readmit(keyId, at, nowMs) {
      if (late.loaded === undefined) throw nobody()
      return late.loaded.judge.readmit(keyId, at, nowMs)
    },
    used: (keyId, { address }, nowMs) => late.loaded?.used(keyId, address, nowMs),
    lifeFields: (keyId, renewal) => late.loaded?.lifeFields(keyId, renewal) ?? [],
    async takeSequence(keyId, sequence) {
      if (late.loaded === undefined) throw nobody()
      await late.loaded.takeSequence(keyId, sequence)
    },
    async renew(keyId, presented) {
      if (late.loaded === undefined) throw nobody()
      return late.loaded.renew(keyId, presented)
    },
  }
}
