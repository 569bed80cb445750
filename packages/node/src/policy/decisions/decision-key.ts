/** The key under which a decision is remembered: everything that the policies which may match look at, and nothing
 *  that they do not. */
import type { Dependencies } from '../engine/policy-engine.ts'
import type { RequestRelations } from './policy-request.ts'
import type { PolicyLabel, PolicyQuestion } from '../policy-service.ts'

const dayMs = 86_400_000

type Facts = (question: PolicyQuestion, relations: RequestRelations) => unknown

/** What a member of the context is made of. `now` is other with every call: what looks at it is not remembered. */
const contextFacts: Readonly<Record<string, Facts>> = {
  weekday: ({ nowMs }) => Math.floor(nowMs / dayMs),
  address: ({ address }) => address,
  country: ({ country }) => country,
  assurance: ({ actor }) => actor?.assurance,
  purpose: ({ purpose }) => purpose,
  agreement: ({ agreement }) => agreement,
  consent: ({ consent }) => consent !== undefined,
  delegated: ({ via = [] }) => via.length > 0,
  // In every key, since masks depend on them.
  fields: () => 0,
  relations: (_, { relations }) => relations,
}

/** Undefined for a decision that is not to be remembered. */
export function decisionKey(
  question: PolicyQuestion,
  relations: RequestRelations,
  { context, entities }: Dependencies,
): string | undefined {
  const looked: unknown[] = []
  for (const member of context) {
    const facts = Object.hasOwn(contextFacts, member) ? contextFacts[member] : undefined
    if (facts === undefined) return undefined
    looked.push(facts(question, relations) ?? null)
  }
  const { caller, actor, action, method, product, productClass, version, operation } = question
  const names = [caller ?? null, actor?.type, actor?.id, action, method, product, productClass, version, operation]
  // Not their paths alone: a call may have been matched before its product was replaced.
  const labelled = ({ path, domain, sensitivity }: PolicyLabel) => `${path} ${domain ?? ''} ${sensitivity}`
  const labels = question.labels.map(labelled)
  const others = [question.unasked?.map(labelled), question.parts, question.written?.map(labelled)]
  return JSON.stringify([names, labels, others, looked, entities && entityFacts(question, relations)])
}

/** Attributes and ancestors, but for those of the product and the data, which are in every key. */
function entityFacts({ country, actor }: PolicyQuestion, relations: RequestRelations): unknown[] {
  const { participantGroups, actorGroups, productGroups, operationGroups } = relations
  return [country, actor?.assurance, participantGroups, actorGroups, productGroups, operationGroups]
}

/** Bounds of what is remembered. */
export interface MemoryBounds {
  readonly values: number
  /** Of all keys together. What is remembered under a key is of the size of its key: both are about the same fields. */
  readonly characters: number
}

/** Remembers within its bounds; the value that came first is forgotten first. */
export class BoundedMemory<V> {
  readonly #values = new Map<string, V>()
  readonly #bounds: MemoryBounds
  #characters = 0

  constructor(bounds: MemoryBounds) {
    this.#bounds = bounds
  }

  get(key: string): V | undefined {
    return this.#values.get(key)
  }

  set(key: string, value: V): void {
    const { values, characters } = this.#bounds
    if (key.length > characters) return
    if (!this.#values.has(key)) this.#characters += key.length
    this.#values.set(key, value)
    while (this.#values.size > values || this.#characters > characters) {
      const first = this.#values.keys().next().value as string
      this.#values.delete(first)
      this.#characters -= first.length
    }
  }

  get count(): number {
    return this.#values.size
  }
}
