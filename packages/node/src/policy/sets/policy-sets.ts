/** The set of policies in force: loaded at the start, replaced as a whole, never by a bad one. */
import type { Clock } from '@comity/core/ports'
import { Problem } from '@comity/core/problems'
import type { PolicyFault, PreparedSet } from '../engine/policy-engine.ts'
import type { RecordPolicyChange } from '../policy-changes.ts'
import type { PolicySetStore, PolicySource, StoredSet } from './policy-set-store.ts'
import type { Preparation, PolicyText } from './prepare-set.ts'
import type { Statement } from '../../storage/database.ts'

export interface PolicySetsParts {
  readonly store: PolicySetStore
  /** Checks texts; takes a second or two. */
  readonly prepare: (texts: readonly PolicyText[]) => Promise<Preparation>
  /** Names what a preparation of these texts would be now. */
  readonly preparationKey: (texts: readonly PolicyText[]) => string
  /** Reads the directory of the configuration; undefined when policies come over the admin API. */
  readonly readDirectory: (() => Promise<readonly PolicyText[]>) | undefined
  readonly record: RecordPolicyChange
  readonly execute: (statements: readonly Statement[]) => Promise<unknown>
  readonly clock: Clock
  /** Takes a set over before it is written down. Throws for one that cannot be decided by; then nothing has changed. */
  readonly makeUsable: (set: PreparedSet, version: number) => () => void
}

/** A set as an operator gives it. */
export interface NewSet {
  readonly texts: readonly PolicyText[]
  /** The version that it is to replace, 0 for none; whatever there is when absent. */
  readonly expected?: number | undefined
  readonly note?: string | undefined
}

/** Throws unless the set may be replaced: looked at when all changes that came before have ended. */
type Condition = () => Promise<void>

export interface PolicySets {
  readonly current: StoredSet | undefined
  /** Puts a set into force. Throws `policy-in-files`, `policy-outdated`, `policy-invalid` with every fault in `errors`,
   *  `record-failed`, and what the condition throws. */
  put(set: NewSet, condition?: Condition): Promise<StoredSet>
  /** Takes over what the files say now. Throws `policy-invalid`, and what the condition throws; then the set that was in
   *  force stays. */
  reload(condition?: Condition): Promise<StoredSet | undefined>
}

/** The problem that lists all faults. */
export function invalidPolicies(faults: readonly PolicyFault[]): Problem {
  const errors = faults.map(({ source, policy, line, message, help }) => ({
    path: source,
    ...(line !== undefined && { line }),
    ...(policy !== undefined && { policy }),
    message: help === undefined ? message : `${message}; ${help}`,
  }))
  const [first] = errors
  const detail = first === undefined ? 'the policies cannot be used' : `\`${first.path}\`: ${first.message}`
  return new Problem('policy-invalid', errors.length > 1 ? `${detail} (and ${errors.length - 1} more)` : detail, {
    members: { errors },
  })
}

/** Opens them and puts the set into force that is there. Throws `policy-invalid` for one that cannot be used: a node
 *  does not start without the policies that it is told to keep. */
export async function openPolicySets(parts: PolicySetsParts): Promise<PolicySets> {
  const { store, readDirectory } = parts
  let current = await store.current()
  let last: Promise<unknown> = Promise.resolve()
  const inTurn = (work: () => Promise<StoredSet | undefined>): Promise<StoredSet | undefined> => {
    const turn = last.then(work, work).then((set) => (current = set))
    last = turn.catch(() => undefined)
    return turn
  }
  const load = async () =>
    readDirectory === undefined
      ? restored(await store.current(), parts)
      : taken({ texts: await readDirectory(), source: 'directory' }, current, parts)
  await inTurn(load)
  return {
    get current() {
      return current
    },
    reload: (condition) =>
      inTurn(async () => {
        await condition?.()
        return load()
      }),
    async put({ texts, expected, note }, condition) {
      if (readDirectory !== undefined) throw new Problem('policy-in-files', 'this node reads its policies from files')
      const set = await inTurn(async () => {
        await condition?.()
        const version = current?.version ?? 0
        if (expected !== undefined && expected !== version) {
          throw new Problem('policy-outdated', `version ${version} is in force, not ${expected}`, {
            members: { version },
          })
        }
        return taken({ texts, source: 'admin', ...(note !== undefined && { note }) }, current, parts)
      })
      return set as StoredSet
    },
  }
}

async function prepared(texts: readonly PolicyText[], { prepare }: PolicySetsParts): Promise<PreparedSet> {
  const preparation = await prepare(texts)
  if (preparation.ok) return preparation.set
  throw invalidPolicies(preparation.faults)
}

/** The newest set that is kept, prepared anew when schema or engine have changed since. */
async function restored(stored: StoredSet | undefined, parts: PolicySetsParts): Promise<StoredSet | undefined> {
  if (stored === undefined) return undefined
  const preparedAs = parts.preparationKey(stored.texts)
  if (stored.preparedAs === preparedAs) {
    parts.makeUsable(stored.prepared, stored.version)()
    return stored
  }
  const again: StoredSet = { ...stored, preparedAs, prepared: await prepared(stored.texts, parts) }
  const use = parts.makeUsable(again.prepared, again.version)
  await parts.execute([parts.store.prepareAnew(again.version, again.prepared, preparedAs)])
  use()
  return again
}

interface Given {
  readonly texts: readonly PolicyText[]
  readonly source: PolicySource
  readonly note?: string | undefined
}

/** What is given, in force. The same texts again are no new version. */
async function taken(given: Given, current: StoredSet | undefined, parts: PolicySetsParts): Promise<StoredSet> {
  const isSame = current !== undefined && JSON.stringify(current.texts) === JSON.stringify(given.texts)
  if (isSame) return (await restored(current, parts)) as StoredSet
  const next: StoredSet = {
    version: (current?.version ?? 0) + 1,
    ...given,
    prepared: await prepared(given.texts, parts),
    preparedAs: parts.preparationKey(given.texts),
    setMs: parts.clock.now(),
  }
  const use = parts.makeUsable(next.prepared, next.version)
  const change = {
    action: 'policies-set',
    target: String(next.version),
    before: current?.prepared.hash,
    after: next.prepared.hash,
    details: { source: next.source, policies: next.prepared.policies.length, ...(next.note && { note: next.note }) },
  } as const
  await parts.record(change, [parts.store.insert(next)])
  use()
  return next
}
