/** A node that keeps API keys as `packages/node/src/api-keys` does, small enough to be led through every misfortune: what
 *  it answers to a key, to a claim, and what its operator may do meanwhile. */
import { formatApiKey } from '@comity/core/api-keys/api-key'
import { keyRenewalRelation } from '@comity/core/api-keys/key-rotation'

type State = 'active' | 'disabled' | 'revoked' | 'retired'

interface ModelledKey {
  readonly id: string
  readonly text: string
  state: State
  isUsed: boolean
}

export class ModelledNode {
  readonly #keys = new Map<string, ModelledKey>()
  #rotation: { readonly from: ModelledKey; to: ModelledKey | undefined } | undefined
  readonly first = this.#issue()
  /** Whether a claim that is made again is answered with the same key, or with another instead of it. */
  readonly #tellsAgain: boolean

  constructor({ tellsAgain }: { readonly tellsAgain: boolean }) {
    this.#tellsAgain = tellsAgain
  }

  #issue(): ModelledKey {
    const id = String(this.#keys.size).padStart(8, '0')
    const text = formatApiKey({ environment: 'live', id, secret: 'S'.repeat(32) })
    const key: ModelledKey = { id, text, state: 'active', isUsed: false }
    this.#keys.set(text, key)
    return key
  }

  /** One that somebody has. */
  hasGoodKey(): boolean {
    return [...this.#keys.values()].some(({ state, isUsed }) => isUsed && state === 'active')
  }

  /** What is answered at `/~keys/renewal`, and as a product anywhere else. */
  answer(method: string, path: string, text: string): Response {
    const key = this.#keys.get(text)
    if (key === undefined) return refusal('key-unknown')
    if (key.state === 'retired') return refusal('key-expired')
    if (key.state !== 'active') return refusal(`key-${key.state}`)
    if (path.endsWith('/~keys/renewal') && method === 'POST') return this.#renew(key)
    key.isUsed = true
    const sunset = '; deprecation="@1700000000"; sunset="@1700600000"'
    const link = `</~keys/renewal>; rel="${keyRenewalRelation}"; key="${key.id}"${sunset}`
    return Response.json({ keyId: key.id }, this.#rotation?.from === key ? { headers: { link } } : {})
  }

  #renew(key: ModelledKey): Response {
    const rotation = this.#rotation
    if (rotation?.from !== key || rotation.to?.isUsed === true) return refusal('key-rotation-refused', 409)
    if (rotation.to?.state !== 'active' || !this.#tellsAgain) this.replaceSuccessor()
    return Response.json({ key: rotation.to?.text, keyId: rotation.to?.id }, { status: 201 })
  }

  /** Begins where no rotation runs. */
  rotate(): void {
    const [from] = [...this.#keys.values()].filter(({ state }) => state === 'active')
    if (this.#rotation === undefined && from !== undefined) this.#rotation = { from, to: undefined }
  }

  /** The text of the other successor; undefined where the present one is in use. */
  replaceSuccessor(): string | undefined {
    const rotation = this.#rotation
    if (rotation === undefined || rotation.to?.isUsed === true) return undefined
    if (rotation.to !== undefined) rotation.to.state = 'revoked'
    rotation.to = this.#issue()
    return rotation.to.text
  }

  rollBack(): void {
    const { to } = this.#rotation ?? {}
    if (to !== undefined) to.state = 'revoked'
    this.#rotation = undefined
  }

  /** When the traffic has moved. */
  complete(): void {
    const { from, to } = this.#rotation ?? {}
    if (from === undefined || to?.isUsed !== true) return
    from.state = 'retired'
    this.#rotation = undefined
  }

  revokeSuccessor(): void {
    const { to } = this.#rotation ?? {}
    if (to !== undefined) to.state = 'revoked'
  }

  /** Of the keys that work, the last one; or all work again. */
  disable(isOver: boolean): void {
    const all = [...this.#keys.values()]
    const last = all.findLast(({ state }) => state === 'active')
    if (!isOver && last !== undefined) last.state = 'disabled'
    if (isOver) all.filter(({ state }) => state === 'disabled').forEach((key) => (key.state = 'active'))
  }
}

function refusal(code: string, status = 401): Response {
  return Response.json({ code }, { status, headers: { 'content-type': 'application/problem+json' } })
}
