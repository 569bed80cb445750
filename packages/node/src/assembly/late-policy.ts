/** Policies, opened at the start where there are any, else with the first command that is about them. */
import type { AuditLog } from '../audit-log/audit-log.ts'
import type { PoliciesPort } from '../gateway/policy-port.ts'
import type { ProductCatalogue } from '../products/products.ts'
import type { Counterparts } from './counterparts.ts'
import type { Foundation } from './foundation.ts'
import type { Policies } from './policy.ts'

export interface PolicyAssembly {
  readonly foundation: Foundation
  readonly auditLog: AuditLog
  readonly newId: () => string
  readonly catalogue: ProductCatalogue
  readonly counterparts: Counterparts
}

/** Policies as the rest of the node sees them. */
export interface PolicyOfNode extends PoliciesPort {
  /** Opens them if they are not open. Throws what `openPolicies` throws. */
  load(): Promise<Policies>
  readonly loaded: Policies | undefined
  /** To be called when partners or products have changed. */
  forget(): void
}

/** Opens them now where the configuration speaks of policies or a set is in the database. */
export async function openPoliciesWhenNeeded(parts: PolicyAssembly): Promise<PolicyOfNode> {
  const { config, database } = parts.foundation
  const late = new LatePolicies(parts)
  const isInUse = config.policy !== undefined || (await database.get('SELECT 1 FROM policy_sets LIMIT 1')) !== undefined
  if (isInUse) await late.load()
  return late
}

class LatePolicies implements PolicyOfNode {
  readonly #parts: PolicyAssembly
  #loading: Promise<Policies> | undefined
  loaded: Policies | undefined

  constructor(parts: PolicyAssembly) {
    this.#parts = parts
  }

  async load(): Promise<Policies> {
    this.#loading ??= import('./policy.ts').then(({ openPolicies }) => openPolicies(this.#parts))
    try {
      return (this.loaded = await this.#loading)
    } catch (error) {
      this.#loading = undefined
      throw error
    }
  }

  /** Where nobody has spoken of policies nothing is decided, and nothing kept. */
  decide(question: Parameters<PoliciesPort['decide']>[0]) {
    if (this.loaded === undefined) return undefined
    const { decider } = this.loaded
    if (decider.version === 0 && this.#parts.foundation.config.policy === undefined) return undefined
    return decider.decide(question)
  }

  forget(): void {
    this.loaded?.decider.forget()
  }
}
