/** Who is in which groups, with every group above: kept in memory, since each call asks for it. */
import type { Party } from './relationship-store.ts'

interface Membership {
  readonly group: string
  readonly member: Party
}

/** `Human did:web:lab.example/nurse-17`: types hold no space. */
const nameOf = ({ type, id }: Party): string => `${type} ${id}`

const none: readonly string[] = []

export class GroupGraph {
  /** Groups that somebody is directly in. */
  readonly #direct = new Map<string, Set<string>>()
  /** What was worked out since the last change. */
  readonly #known = new Map<string, readonly string[]>()

  constructor(memberships: readonly Membership[]) {
    for (const membership of memberships) this.add(membership)
  }

  add({ group, member }: Membership): void {
    this.#known.clear()
    const groups = this.#direct.get(nameOf(member))
    if (groups === undefined) this.#direct.set(nameOf(member), new Set([group]))
    else groups.add(group)
  }

  remove({ group, member }: Membership): void {
    this.#known.clear()
    const groups = this.#direct.get(nameOf(member))
    groups?.delete(group)
    if (groups?.size === 0) this.#direct.delete(nameOf(member))
  }

  /** Ids of the groups that have members, sorted. */
  groups(): readonly string[] {
    return [...new Set([...this.#direct.values()].flatMap((groups) => [...groups]))].toSorted()
  }

  /** Ids of all groups that the party is in, sorted. */
  groupsOf(party: Party): readonly string[] {
    const name = nameOf(party)
    // Whoever is in no group is not remembered: callers may name as many as they like.
    if (!this.#direct.has(name)) return none
    const known = this.#known.get(name)
    if (known !== undefined) return known
    const groups = this.#above(name)
    this.#known.set(name, groups)
    return groups
  }

  /** True when a group would become a member of itself. */
  wouldLoop({ group, member }: Membership): boolean {
    if (member.type !== 'Group') return false
    return member.id === group || this.groupsOf({ type: 'Group', id: group }).includes(member.id)
  }

  #above(name: string): readonly string[] {
    const found = new Set<string>()
    const open = [...(this.#direct.get(name) ?? none)]
    for (let group = open.pop(); group !== undefined; group = open.pop()) {
      if (found.has(group)) continue
      found.add(group)
      open.push(...(this.#direct.get(nameOf({ type: 'Group', id: group })) ?? none))
    }
    return [...found].toSorted()
  }
}
