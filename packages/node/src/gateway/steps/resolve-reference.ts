/** Before step 5, `resolve reference`: a call to `/x/{product}/~references/{secret}` is the call that was promised an
 *  answer, made now. Every later step judges it as such. */
import { encodeBase64url } from '@comity/core/bytes/base64url'
import { sha256 } from '@comity/core/crypto/crypto-node'
import { addressInPath } from '@comity/core/exchange/product-address'
import { Problem } from '@comity/core/problems'
import { accountOf } from '../calling-party.ts'
import type { InboundCall, Step } from '../inbound-call.ts'
import type { World } from '../ports.ts'
import type { OpenReference, ReferenceStore } from '../references/reference-store.ts'
import { pathInProduct } from './match.ts'

export interface ResolveReferenceOptions {
  readonly world: World
  readonly references: Pick<ReferenceStore, 'find'>
  /** Ids of the references that are being resolved in this process; shared with the step that ends the call. */
  readonly resolving: Set<string>
}

/** The name under which the table knows a reference. */
export function referenceId(secret: string): string {
  return encodeBase64url(sha256(secret))
}

const shape = /^\/~references\/([^/]*)$/

/** Whether a path below `/x/` names a promised answer, not an operation. */
export function isReference(path: string): boolean {
  return path.includes('/~references/') && shape.test(pathInProduct(path))
}

/** One text for every reason: an id tells nothing to whom it was not given. */
function invalid(): Problem {
  return new Problem('reference-invalid', 'there is no such reference for you, or it was used or has expired')
}

async function resolve(call: InboundCall, secret: string, options: ResolveReferenceOptions): Promise<OpenReference> {
  const { request } = call
  const account = accountOf(call)
  if (account === undefined || !/^[A-Za-z0-9_-]{43}$/.test(secret)) throw invalid()
  if (request.method !== 'GET') {
    throw new Problem('method-not-allowed', 'a reference is resolved with GET', { members: { allow: ['GET'] } })
  }
  const found = await options.references.find(referenceId(secret), options.world.clock.now())
  if (found === undefined || found.caller !== account || found.product !== addressInPath(request.path)) throw invalid()
  if (options.resolving.has(found.id)) throw invalid()
  options.resolving.add(found.id)
  return found
}

export function resolveReference(options: ResolveReferenceOptions): Step {
  return {
    name: 'resolve reference',
    run(call) {
      const { product, request } = call
      if (product === undefined || !isReference(request.path)) return
      const secret = shape.exec(pathInProduct(request.path))?.[1]
      if (secret === undefined) return
      return resolve(call, secret, options).then((found) => void (call.resolved = found))
    },
  }
}
