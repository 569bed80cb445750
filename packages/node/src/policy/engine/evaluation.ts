/** One request while policies are evaluated on it. */
import { CedarRecord, Entity, entityKey } from './cedar-values.ts'
import type { PolicyEntity, PolicyRequest } from './policy-engine.ts'

/** An entity that the request tells something of. */
export interface KnownEntity {
  readonly attributes: CedarRecord
  readonly tags: CedarRecord
  /** Keys. */
  readonly ancestors: ReadonlySet<string>
}

/** What expressions look at. Entities are made ready when they are first looked at. */
export class Evaluation {
  readonly principal: Entity
  readonly action: Entity
  readonly resource: Entity
  readonly context: CedarRecord
  readonly #given: readonly PolicyEntity[]
  readonly #actions: ReadonlyMap<string, KnownEntity>
  readonly #known = new Map<string, KnownEntity | undefined>()

  constructor(request: PolicyRequest, actions: ReadonlyMap<string, KnownEntity>) {
    this.principal = new Entity(request.principal)
    this.action = new Entity(request.action)
    this.resource = new Entity(request.resource)
    this.context = new CedarRecord(new Map(), request.context)
    this.#given = request.entities
    this.#actions = actions
  }

  /** Undefined when the request says nothing of it. */
  entity(entity: Entity): KnownEntity | undefined {
    const { key } = entity
    if (this.#known.has(key)) return this.#known.get(key)
    const given = this.#given.find(({ uid }) => uid.id === entity.id && uid.type === entity.type)
    const known = given === undefined ? this.#actions.get(key) : knownEntity(given)
    this.#known.set(key, known)
    return known
  }

  /** True when it is the other or below it. */
  isIn(entity: Entity, otherKey: string): boolean {
    return entity.key === otherKey || (this.entity(entity)?.ancestors.has(otherKey) ?? false)
  }
}

/** Makes an entity ready to be looked at. */
export function knownEntity({ attrs, parents, tags = {} }: PolicyEntity): KnownEntity {
  return {
    attributes: new CedarRecord(new Map(), attrs),
    tags: new CedarRecord(new Map(), tags),
    ancestors: new Set(parents.map(entityKey)),
  }
}
