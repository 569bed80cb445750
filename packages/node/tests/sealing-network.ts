/** Two nodes with a proxy in front of the holder that ends TLS: what is sealed passes it, and it reads nothing. */
import { randomInt } from 'node:crypto'
import type { SealingAlgorithm, SealingMode } from '@comity/core/sealing/sealing-algorithms'
import { freePort } from './free-port.ts'
import { startTestNetwork, testPurpose, type TestNetwork, type TestNetworkOptions } from './test-network.ts'
import { startTlsProxy, type TlsProxy } from './tls-proxy.ts'

export interface SealingSetting {
  readonly answers?: SealingMode
  readonly requests?: SealingMode
  readonly algorithms?: readonly SealingAlgorithm[]
}

export interface SealingNetwork extends TestNetwork {
  readonly proxy: TlsProxy
  readonly agreementId: string
  call(path: string, init?: RequestInit): Promise<Response>
  post(name: string, init?: RequestInit): Promise<Response>
}

type Configuration = Record<string, unknown>

/** Sets the sealing of the holder's products. */
export function sealProducts(config: Configuration, sealing: SealingSetting): void {
  for (const product of config['products'] as Configuration[]) product['sealing'] = structuredClone(sealing)
}

/** What the recipient demands of the contents exchanged with the holder. */
export async function demandSealing(network: TestNetwork, sealing: SealingSetting): Promise<void> {
  const { partners } = network.recipient.running.parts.counterparts
  const { did, url, fingerprint } = network.holder
  await partners.remove(did)
  await partners.add({ alias: 'holder', did, url, fingerprints: [fingerprint], sealing })
}

/** The network with an agreement; all products of the holder seal as told. */
export async function startSealingNetwork(
  sealing: SealingSetting,
  options: TestNetworkOptions = {},
): Promise<SealingNetwork> {
  await using stack = new AsyncDisposableStack()
  const target = await freePort()
  const network = await startTestNetwork({
    ...options,
    holder: (config, root) => {
      const listen = config['listen'] as { public: Configuration }
      listen.public['port'] = target
      sealProducts(config, sealing)
      options.holder?.(config, root)
    },
  })
  stack.use(network)
  const tls = network.holder.running.parts.foundation.identity.tls()
  const proxy = stack.use(await startTlsProxy({ port: network.holder.port, target, tls }))
  const agreementId = await network.agree()
  const parts = stack.move()
  const call = (path: string, init: RequestInit = {}) =>
    fetch(network.recipient.local(path), { ...init, headers: { 'comity-purpose': testPurpose, ...init.headers } })
  return {
    ...network,
    proxy,
    agreementId,
    call,
    post: (name, init = {}) =>
      call('/holder/items/items', {
        method: 'POST',
        body: JSON.stringify({ name }),
        ...init,
        headers: { 'content-type': 'application/json', 'idempotency-key': `"${randomInt(2 ** 40)}"`, ...init.headers },
      }),
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  }
}
