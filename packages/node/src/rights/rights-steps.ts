/** How a request moves: what the node does by itself, who is told, and when it is closed. All of it runs in turns, one
 *  request at a time, on what the storage says then. */
import {
  isClosedRights,
  parseRightsRequest,
  rightsDueMs,
  rightsStatusOf,
  type RightsRequest,
  type RightsStatus,
} from '@comity/core/rights/rights-request'
import { Problem } from '@comity/core/problems'
import type { Statement } from '../storage/database.ts'
import { applyRight, concludeRight, release } from './rights-effects.ts'
import type { DutyOfRequest, Reader, RightsParts } from './rights-ports.ts'
import { buildBundle } from './rights-result.ts'
import { dutyKindOf, erasesWhole, isInScope } from './rights-scope.ts'
import type { StoredRights } from './rights-store.ts'

const maxDuties = 100_000
const maxOpen = 1_000

/** What was asked; undefined once the person was erased. */
export async function requestOf({ vault }: RightsParts, { body }: StoredRights): Promise<RightsRequest | undefined> {
  const text = await vault.unseal(body)
  return text === undefined ? undefined : parseRightsRequest(JSON.parse(text))
}

/** The duties that serve a request. */
export function dutiesOf({ duties }: RightsParts, id: string): Promise<readonly DutyOfRequest[]> {
  return duties.list({ rightsRequest: id, limit: maxDuties })
}

/** A step of the request in the log; it names nobody. */
export async function recordStep(
  parts: RightsParts,
  { stored, step }: { readonly stored: Pick<StoredRights, 'id' | 'type'>; readonly step: string },
  statements: readonly Statement[],
): Promise<void> {
  const [id, timeMs] = [parts.newId(), parts.clock.now()]
  const body = JSON.stringify({ type: 'rights', id, time: timeMs, request: stored.id, right: stored.type, step })
  await parts.record({ id, type: 'rights', timeMs, body }, statements)
}

/** Acts on an open request, tells whoever has to hear of it, and closes it when the last report is in. */
export async function settleRequest(parts: RightsParts, id: string): Promise<void> {
  const stored = await parts.store.find(id)
  if (stored === undefined || stored.closedMs !== undefined) return
  const request = await requestOf(parts, stored)
  if (request !== undefined) await act(parts, stored, request)
  const reports = [...(await parts.store.tasks(id)), ...(await dutiesOf(parts, id))]
  const status = rightsStatusOf(reports)
  if (!isClosedRights(status)) return
  if (request === undefined) return closeErased(parts, stored, status)
  if (await mayClose(parts, stored, request)) await closeRequest(parts, stored, { status, request })
}

/** First the consents, then who read under them: nobody can have been given data after the last look. */
async function act(parts: RightsParts, stored: StoredRights, request: RightsRequest): Promise<void> {
  const { store, consents, outbox } = parts
  const { id, subject, receivedMs } = stored
  await applyRight({ id, subject, receivedMs, request }, consents)
  const kind = dutyKindOf(request.type)
  const known = new Set((await dutiesOf(parts, id)).map(nameOfDuty))
  const untold =
    kind === undefined ? [] : (await readersOf(parts, stored, request)).filter((one) => !known.has(nameOf(one)))
  if (untold.length === 0 && stored.isApplied) return
  const fields = request.corrections === undefined ? undefined : Object.keys(request.corrections)
  const statements = untold.flatMap((reader) =>
    imposed(parts, reader, { kind: kind ?? 'erase', subject, dueMs: stored.dueMs, rightsRequest: id, fields }),
  )
  await recordStep(parts, { stored, step: 'applied' }, [store.markApplied(id), ...statements])
  outbox.wake()
}

const nameOf = ({ did, consent }: Reader): string => `${did} ${consent}`
const nameOfDuty = ({ debtor, consent }: DutyOfRequest): string => `${debtor} ${consent ?? ''}`

async function readersOf(
  { consents }: RightsParts,
  { subject }: Pick<StoredRights, 'subject'>,
  request: RightsRequest,
): Promise<readonly Reader[]> {
  return consents.readers((await consents.list(subject)).filter((consent) => isInScope(request, consent)))
}

type Imposed = Omit<Parameters<RightsParts['duties']['impose']>[0], 'consent' | 'subjectPairwise' | 'debtor'>

function imposed({ duties }: RightsParts, { did, consent, pairwise }: Reader, duty: Imposed): readonly Statement[] {
  return duties.impose({ ...duty, consent, subjectPairwise: pairwise, debtor: did })
}

/** Not while a use may still be written that makes another recipient; and the person as a whole is erased last, since the
 *  answers to what else they asked would go with them. */
async function mayClose(
  { store, clock, lastUseMs }: RightsParts,
  { id, subject, receivedMs }: StoredRights,
  request: RightsRequest,
): Promise<boolean> {
  if (dutyKindOf(request.type) !== undefined && clock.now() < receivedMs + lastUseMs) return false
  if (!erasesWhole(request)) return true
  const open = await store.list({ subject, isOpen: true, limit: maxOpen })
  return open.every((other) => other.id === id)
}

/** One transaction: the request is closed, its bundle kept, and for an erasure the person's key destroyed. */
export async function closeRequest(
  parts: RightsParts,
  stored: StoredRights,
  { status, request }: { readonly status: RightsStatus; readonly request: RightsRequest },
): Promise<void> {
  const { store, clock, vault, consents } = parts
  const { id, subject } = stored
  await concludeRight({ id, subject, request }, status, consents)
  const [tasks, duties, closedMs] = [await store.tasks(id), await dutiesOf(parts, id), clock.now()]
  const isErased = status !== 'revoked' && erasesWhole(request) && tasks.every(({ state }) => state === 'done')
  const about = { stored, status, tasks, duties, closedMs }
  const bundle = await buildBundle(parts, { ...about, request: isErased ? undefined : request })
  const kept = isErased ? bundle : (await vault.open(subject)).seal(bundle)
  await recordStep(parts, { stored, step: `closed:${status}` }, [
    ...closing(parts, stored, { status, closedMs, bundle: kept }),
    ...(request.type === 'restrict' && status === 'revoked' ? await liftings(parts, stored, request) : []),
    ...(isErased ? vault.destroy(subject, closedMs) : []),
  ])
  if (isErased) await vault.forget(subject)
  parts.webhooks.wake()
  parts.outbox.wake()
}

/** The person was erased in another way meanwhile: an erasure is what it was reported to be, everything else moot. */
async function closeErased(parts: RightsParts, stored: StoredRights, reported: RightsStatus): Promise<void> {
  const { store, clock, webhooks } = parts
  const status = stored.type === 'erase' ? reported : 'revoked'
  const [tasks, duties, closedMs] = [await store.tasks(stored.id), await dutiesOf(parts, stored.id), clock.now()]
  const bundle = await buildBundle(parts, { stored, status, tasks, duties, closedMs, request: undefined })
  await recordStep(parts, { stored, step: `closed:${status}` }, closing(parts, stored, { status, closedMs, bundle }))
  webhooks.wake()
}

function closing(
  { store, webhooks }: RightsParts,
  { id, type }: StoredRights,
  closed: { readonly status: RightsStatus; readonly closedMs: number; readonly bundle: string },
): Statement[] {
  const payload = { request: id, type, status: closed.status }
  return [store.close(id, closed), ...webhooks.statement({ type: 'rights.closed', payload })]
}

/** Ends a restriction in force: first its consents come back, then, in one transaction, everyone is told who had to
 *  restrict. After a crash in between it is lifted again, and told once. */
export async function liftRestriction(parts: RightsParts, stored: StoredRights): Promise<void> {
  const request = await requestOf(parts, stored)
  if (request === undefined) throw new Problem('subject-erased', 'the person was erased')
  await release(stored, parts.consents, 'resume')
  await recordStep(parts, { stored, step: 'lifted' }, [
    parts.store.lift(stored.id, parts.clock.now()),
    ...(await liftings(parts, stored, request)),
  ])
  parts.outbox.wake()
}

/** For everyone who was told to restrict. They count for no request: the restriction is closed already. */
async function liftings(parts: RightsParts, stored: StoredRights, request: RightsRequest): Promise<Statement[]> {
  const told = new Set((await dutiesOf(parts, stored.id)).map(nameOfDuty))
  const readers = (await readersOf(parts, stored, request)).filter((reader) => told.has(nameOf(reader)))
  const duty = {
    subject: stored.subject,
    dueMs: rightsDueMs(parts.clock.now()),
    rightsRequest: `${stored.id}:lifted`,
  }
  return readers.flatMap((reader) => imposed(parts, reader, { ...duty, kind: 'lift-restriction' }))
}
