/** The holder's policies: decides about calls, remembers what it can, and keeps a trail of what was decided. */
import type { Clock } from '@comity/core/ports'
import type { Statement } from '../storage/database.ts'
import type { SubjectKey } from '../vault/vault.ts'
import { networkOf } from '../http/network-of.ts'
import { BoundedMemory, decisionKey, type MemoryBounds } from './decisions/decision-key.ts'
import type { DecisionStore, Outcome } from './decisions/decision-store.ts'
import { decidePolicy, refused, usableSet, type Judged, type UsableSet } from './decisions/decide-policy.ts'
import { leftBy } from './decisions/left-by-mask.ts'
import { comity } from './policy-words.ts'
import type { PolicyEngine, PreparedSet } from './engine/policy-engine.ts'
import { noRelations, type RequestRelations } from './decisions/policy-request.ts'
import type { PolicyQuestion, PolicyVerdict } from './policy-service.ts'
import type { Relationships } from './relationships/relationships.ts'

/** A call that was judged. */
export interface DecidedCall {
  readonly verdict: PolicyVerdict
  /** The same for a call that is permitted and yet refused, for what the permits leave of it. */
  refused(detail: string): DecidedCall
  /** The writes that keep the decision; they go into the transaction that records the exchange. */
  trail(exchange: string, subject: SubjectKey | undefined): readonly Statement[]
}

export interface DeciderParts {
  readonly engineOf: (set: PreparedSet) => PolicyEngine
  readonly relationships: () => Pick<Relationships, 'of'>
  readonly decisions: Pick<DecisionStore, 'insert' | 'prune'>
  readonly execute: (statements: readonly Statement[]) => Promise<unknown>
  readonly clock: Clock
  readonly options: DeciderOptions
  /** Told of every call that policies could not be applied to, and of faults of the node's own. */
  readonly onFailure: (failure: PolicyFailure) => void
}

export interface DeciderOptions {
  /** Decisions that are kept; none for 0. */
  readonly keepDecisions: number
  /** Decisions that are remembered at once. */
  readonly remembered: MemoryBounds
}

export interface PolicyFailure {
  /** Ids of the policies; none when the engine itself failed. */
  readonly policies: readonly string[]
  readonly reason: string
  readonly error?: unknown
}

export interface PolicyCounts {
  readonly remembered: number
  readonly hits: number
  readonly misses: number
}

const pruneEvery = 1_000

/** Decides by the set in force. What is remembered of a set goes with it. */
export class PolicyDecider {
  readonly #parts: DeciderParts
  #set: UsableSet | undefined
  #memory: BoundedMemory<Judged>
  #hits = 0
  #misses = 0
  #kept = 0

  constructor(parts: DeciderParts) {
    this.#parts = parts
    this.#memory = new BoundedMemory(parts.options.remembered)
  }

  /** Gives what puts the set into force. Throws for one that cannot be decided by. */
  makeUsable(set: PreparedSet, version: number): () => void {
    const usable = usableSet(set, version, this.#parts.engineOf(set))
    return () => {
      this.#set = usable
      this.forget()
    }
  }

  /** To be called when anything has changed that decisions may depend on. What is being decided meanwhile is
   *  remembered nowhere. */
  forget(): void {
    this.#memory = new BoundedMemory(this.#parts.options.remembered)
  }

  /** Of the set in force; 0 without one. */
  get version(): number {
    return this.#set?.version ?? 0
  }

  counts(): PolicyCounts {
    return {
      remembered: this.#memory.count,
      hits: this.#hits,
      misses: this.#misses,
    }
  }

  /** Never throws for what policies say; at once where nothing must be looked up. */
  decide(question: PolicyQuestion): DecidedCall | Promise<DecidedCall> {
    try {
      const relations = this.#parts.relationships().of(question)
      if (!(relations instanceof Promise)) return this.#decided(question, relations)
      return relations.then(
        (found) => this.#decided(question, found),
        (error: unknown) => this.#broken(question, error),
      )
    } catch (error) {
      return this.#broken(question, error)
    }
  }

  #decided(question: PolicyQuestion, relations: RequestRelations): DecidedCall {
    const set = this.#set
    if (set === undefined) return this.#call({ allowed: true, policies: [], version: 0 }, question, relations)
    try {
      const judged = this.#judged(set, question, relations)
      for (const { policy, message } of judged.errors) {
        this.#parts.onFailure({ policies: [policy], reason: message })
      }
      return this.#call(judged.verdict, question, relations)
    } catch (error) {
      return this.#broken(question, error, relations)
    }
  }

  #judged(set: UsableSet, question: PolicyQuestion, relations: RequestRelations): Judged {
    const memory = this.#memory
    const looked = set.engine.dependencies(comity('Action', question.action), 'Comity::Operation')
    const key = decisionKey(question, relations, looked)
    const known = key === undefined ? undefined : memory.get(key)
    if (known !== undefined) {
      this.#hits += 1
      return known
    }
    this.#misses += 1
    const judged = decidePolicy(set, question, relations)
    if (key !== undefined) memory.set(key, judged)
    return judged
  }

  /** Whatever went wrong in here: nothing was decided, so nothing is allowed. */
  #broken(question: PolicyQuestion, error: unknown, relations = noRelations): DecidedCall {
    this.#parts.onFailure({ policies: [], reason: 'the policies could not be applied', error })
    const version = this.#set?.version ?? 0
    const detail = "the holder's policies could not be applied"
    return this.#call({ allowed: false, code: 'policy-failed', detail, policies: [], version }, question, relations)
  }

  #call(verdict: PolicyVerdict, question: PolicyQuestion, relations: RequestRelations): DecidedCall {
    return {
      verdict,
      refused: (detail) => this.#call(refused(verdict, detail), question, relations),
      trail: (exchange, subject) => this.#trail({ exchange, subject, verdict, question, relations }),
    }
  }

  #trail({ exchange, subject, verdict, question, relations }: Trailed): readonly Statement[] {
    const { decisions, options, clock, execute } = this.#parts
    if (options.keepDecisions === 0) return []
    this.#kept += 1
    if (this.#kept % pruneEvery === 0) {
      void execute([decisions.prune(options.keepDecisions)]).catch((error: unknown) =>
        this.#parts.onFailure({ policies: [], reason: 'old decisions could not be dropped', error }),
      )
    }
    const { policies, version } = verdict
    const details = {
      question: keptOf(question),
      relations,
      outcome: outcomeOf(verdict),
      policies,
      ...(verdict.mask && { mask: leftBy(verdict.mask, question) }),
    }
    return [decisions.insert({ exchange, atMs: clock.now(), version, details }, subject)]
  }
}

/** Of a caller who is nobody the network is kept, not the address. */
function keptOf(question: PolicyQuestion): PolicyQuestion {
  return question.caller === undefined ? { ...question, address: networkOf(question.address) } : question
}

interface Trailed {
  readonly exchange: string
  readonly subject: SubjectKey | undefined
  readonly verdict: PolicyVerdict
  readonly question: PolicyQuestion
  readonly relations: RequestRelations
}

/** The verdict in one word. */
export function outcomeOf(verdict: PolicyVerdict): Outcome {
  if (verdict.allowed) return 'allowed'
  return verdict.code === 'policy-denied' ? 'denied' : 'failed'
}
