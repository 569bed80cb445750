/** Step 5, `match`: path normalised, product and operation found, parameters and body valid; all else is 404. */
import { normalisePath } from '@comity/core/exchange/path'
import { addressInPath } from '@comity/core/exchange/product-address'
import { Problem } from '@comity/core/problems'
import { participantOf } from '../calling-party.ts'
import type { InboundCall, Step } from '../inbound-call.ts'
import { announceLife, refuseEnded, type LifeOptions } from '../product-life.ts'
import type { IdentityPort, PartnerOfGateway } from '../ports.ts'
import type { ReferredRequest } from '../references/reference-store.ts'
import { requireParty } from './key-scope.ts'

export interface MatchOptions extends LifeOptions {
  readonly identity: IdentityPort
  readonly partnerOf: (did: string) => PartnerOfGateway | undefined
}

/** What is asked of the product: by the call itself, or by the one whose promised answer it fetches. */
export function targetOf(call: InboundCall): ReferredRequest {
  if (call.resolved !== undefined) return call.resolved.request
  const { method, path, query } = call.request
  return { method, path: pathInProduct(path), query }
}

/** The path below `/x/{product}`, at least `/`. */
export function pathInProduct(path: string): string {
  const below = normalisePath(path).slice(`/x/${addressInPath(path)}`.length)
  return below === '' ? '/' : below
}

async function requireClientCertificate(call: InboundCall, did: string, identity: IdentityPort): Promise<void> {
  const presented = call.request.clientKeyFingerprint
  if (presented === undefined) throw new Problem('client-certificate-required', 'no client certificate was presented')
  const fingerprints = await identity.tlsFingerprints(did, presented)
  if (!fingerprints.includes(presented)) {
    throw new Problem('client-certificate-required', `the client certificate's key is not one of \`${did}\``)
  }
}

export function match({ identity, partnerOf, ...life }: MatchOptions): Step {
  return {
    name: 'match',
    run(call) {
      const { product, request, body } = call
      if (product === undefined) throw new Problem('not-found', 'there is no such product')
      requireParty(call, product)
      call.lifeFields = announceLife(product, life)
      refuseEnded(product, life)
      if (body.length > product.requestBytes) {
        throw new Problem('body-too-large', `the body is over ${product.requestBytes} bytes`, {
          members: { limitBytes: product.requestBytes },
        })
      }
      call.operation = product.match({ ...targetOf(call), headers: request.headers, body })
      const did = participantOf(call)
      const demanded = product.requireClientCertificate || (did && partnerOf(did)?.requireClientCertificate)
      if (demanded) return requireClientCertificate(call, did ?? '', identity)
    },
  }
}
