/** What takes replicas away as part of a larger change: the end of a consent, other terms, a duty, an erasure. */
import type { DutyKind } from '@comity/core/duties/duty-receipt'
import type { Clock } from '@comity/core/ports'
import type { Statement } from '../storage/database.ts'
import type { ReplicaStore } from './replica-store.ts'

/** A duty about a person's data, as far as replicas are concerned. */
export interface DutyOfReplicas {
  readonly kind: DutyKind
  readonly consent: string | undefined
  /** DID. */
  readonly holder: string
  /** Of the person's key. */
  readonly handle: string | undefined
  /** When given, the duty is about these alone. */
  readonly fields: readonly string[] | undefined
}

export interface ReplicaEndings {
  remove(held: string): readonly Statement[]
  empty(held: string): readonly Statement[]
  deleteSubject(subject: string): readonly Statement[]
  settle(duty: DutyOfReplicas): readonly Statement[]
  removed(duty: DutyOfReplicas): Promise<{ readonly removed: number; readonly at: number } | undefined>
}

/** After these nothing of what was received stays. */
const removing: ReadonlySet<DutyKind> = new Set(['delete', 'anonymise', 'erase'])
/** After these what was received before is wrong, or not to be used. */
const emptying: ReadonlySet<DutyKind> = new Set(['rectify', 'restrict', 'object'])

export function createReplicaEndings(store: ReplicaStore, clock: Clock): ReplicaEndings {
  return {
    remove: (held) => store.remove({ held }, clock.now()),
    empty: (held) => store.empty({ held }, clock.now()),
    deleteSubject: (subject) => store.deleteSubject(subject),
    settle(duty) {
      const of = ofDuty(duty)
      if (of === undefined) return []
      const isPart = duty.fields !== undefined
      if (removing.has(duty.kind) && !isPart) return store.remove(of, clock.now())
      return removing.has(duty.kind) || emptying.has(duty.kind) ? store.empty(of, clock.now()) : []
    },
    async removed(duty) {
      const of = removing.has(duty.kind) ? ofDuty(duty) : undefined
      return of && store.removed(of)
    },
  }
}

function ofDuty({ holder, consent, handle }: DutyOfReplicas) {
  if (consent !== undefined) return { holder, consent }
  return handle === undefined ? undefined : { holder, subject: handle }
}
