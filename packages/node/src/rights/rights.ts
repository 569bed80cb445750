/** Requests of people about their data: acted on at once as far as the node can, told to everyone who has to report,
 *  and closed by their reports alone. */
import {
  extendedRightsDueMs,
  isClosedRights,
  parseRightsRequest,
  rightsDueMs,
  rightsStatusOf,
  type RightsRequest,
} from '@comity/core/rights/rights-request'
import { Problem } from '@comity/core/problems'
import { z } from 'zod'
import type { Statement } from '../storage/database.ts'
import { applyRight, concludeRight, debtorsOf, dutyKindOf } from './rights-effects.ts'
import type { Reader, Rights, RightsParts, RightsView, TaskReport } from './rights-ports.ts'
import { buildBundle, isBundleImpersonal } from './rights-result.ts'
import type { StoredRights } from './rights-store.ts'

const maxDuties = 10_000
const openInTurn = 1_000

const reportSchema = z
  .strictObject({
    state: z.enum(['done', 'refused']),
    ground: z.string().min(1).max(1000).optional(),
    data: z.unknown().optional(),
  })
  .refine(({ state, ground }) => state === 'done' || ground !== undefined, { path: ['ground'], error: 'say why not' })

/** The requests of one node. */
export function createRights(parts: RightsParts): Rights {
  const { store, clock, vault } = parts
  const find = async (id: string, subject?: string): Promise<StoredRights> => {
    const stored = await store.find(id)
    if (stored === undefined || (subject !== undefined && stored.subject !== subject))
      throw new Problem('rights-request-unknown', `there is no request \`${id.slice(0, 100)}\``)
    return stored
  }
  const view = (stored: StoredRights) => viewOf(parts, stored)
  return {
    open: (person, input, method) => open(parts, { ...person, method }, input),
    list: async (filter) => Promise.all((await store.list(filter)).map(view)),
    show: async (id, subject) => view(await find(id, subject)),
    async report(id, product, report) {
      await takeReport(parts, await find(id), { product, report })
      await settleOne(parts, await find(id))
      return view(await find(id))
    },
    async extend(id, reason) {
      const stored = await find(id)
      const isPossible = stored.closedMs === undefined && stored.extension === undefined && clock.now() < stored.dueMs
      if (!isPossible) throw wrongState(stored, 'extended once, before it is due')
      if (reason.length === 0 || reason.length > 1000)
        throw new Problem('rights-request-invalid', 'tell the person why it takes longer')
      await record(parts, { stored, step: 'extended' }, [
        store.extend(id, extendedRightsDueMs(stored.receivedMs), reason),
      ])
      return view(await find(id))
    },
    async revoke(id, subject) {
      const stored = await find(id, subject)
      if (stored.closedMs !== undefined) throw wrongState(stored, 'taken back while it is open')
      await close(parts, stored, 'revoked')
      return view(await find(id))
    },
    async lift(id) {
      const stored = await find(id)
      const isFulfilled = stored.status === 'fulfilled' || stored.status === 'partially_fulfilled'
      if (stored.type !== 'restrict' || !isFulfilled)
        throw wrongState(stored, 'lifted when it is a restriction in force')
      await lift(parts, stored)
      return view(await find(id))
    },
    async bundle(id) {
      const { bundle, ...stored } = await find(id)
      if (bundle === undefined) throw wrongState(stored, 'handed over once it is closed')
      const text = isBundleImpersonal(stored) ? bundle : await vault.unseal(bundle)
      if (text === undefined) throw new Problem('subject-erased', 'the person was erased, and the bundle with them')
      return text
    },
    async settle() {
      for (const stored of await store.list({ isOpen: true, limit: openInTurn })) await settleOne(parts, stored)
    },
  }
}

function wrongState({ id, status }: Pick<StoredRights, 'id' | 'status'>, possible: string): Problem {
  return new Problem('rights-request-state', `the request \`${id}\` is \`${status}\`; it can be ${possible}`, {
    members: { status },
  })
}

interface Person {
  readonly subject: string
  readonly reference: string
  readonly method: string
}

async function open(parts: RightsParts, person: Person, input: unknown): Promise<RightsView> {
  const { store, clock, newId, vault, consents, webhooks, outbox } = parts
  const request = parseRightsRequest(input)
  const key = await vault.open(person.subject)
  const debtors = debtorsOf(request, await consents.readers(person.subject))
  const [id, receivedMs] = [newId(), clock.now()]
  const dueMs = rightsDueMs(receivedMs)
  const stored: StoredRights = {
    id,
    subject: person.subject,
    type: request.type,
    body: key.seal(JSON.stringify(request)),
    status: 'open',
    receivedMs,
    dueMs,
    extension: undefined,
    closedMs: undefined,
    bundle: undefined,
  }
  const products = parts.products().filter((product) => request.scope?.products?.includes(product) ?? true)
  const told = { request: id, type: request.type, reference: person.reference, products, ...detailsOf(request, dueMs) }
  const entry = { type: 'rights', id, time: receivedMs, right: request.type, step: 'received', method: person.method }
  await parts.record(
    { id, type: 'rights', timeMs: receivedMs, body: JSON.stringify(entry) },
    [
      store.insert(stored),
      ...products.map((product) => store.insertTask(id, product)),
      ...dutiesOf(parts, { id, request, dueMs }, debtors),
      ...webhooks.statement({ type: 'rights.requested', payload: told }, key),
    ],
    key,
  )
  webhooks.wake()
  outbox.wake()
  await settleOne(parts, stored)
  return viewOf(parts, (await store.find(id)) ?? stored)
}

function detailsOf({ scope, corrections, message }: RightsRequest, dueMs: number) {
  return { scope, corrections, message, due: new Date(dueMs).toISOString() }
}

function dutiesOf(
  { duties }: RightsParts,
  { id, request, dueMs }: { readonly id: string; readonly request: RightsRequest; readonly dueMs: number },
  debtors: readonly Reader[],
): Statement[] {
  const kind = dutyKindOf(request.type)
  if (kind === undefined) return []
  const fields = request.corrections === undefined ? undefined : Object.keys(request.corrections)
  return debtors.flatMap(({ did, consent, pairwise }) => [
    ...duties.impose({ kind, consent, subjectPairwise: pairwise, debtor: did, dueMs, rightsRequest: id, fields }),
  ])
}

async function takeReport(
  parts: RightsParts,
  stored: StoredRights,
  { product, report }: { readonly product: string; readonly report: TaskReport },
): Promise<void> {
  const parsed = reportSchema.safeParse(report)
  if (!parsed.success)
    throw new Problem('rights-request-invalid', `the report is wrong: ${parsed.error.issues[0]?.message ?? ''}`)
  const task = (await parts.store.tasks(stored.id)).find((candidate) => candidate.product === product)
  if (task === undefined)
    throw new Problem('rights-request-unknown', `the request asks nothing of \`${product.slice(0, 100)}\``)
  if (task.state !== 'open' || stored.closedMs !== undefined) throw wrongState(stored, 'reported on once')
  const key = await parts.vault.open(stored.subject)
  const { state, ground, data } = parsed.data
  const reportedMs = parts.clock.now()
  const text = key.seal(JSON.stringify({ state, ground, data }))
  await record(parts, { stored, step: `reported:${product}:${state}` }, [
    parts.store.reportTask({ request: stored.id, product, state, report: text, reportedMs }),
  ])
}

/** Acts on an open request again, and closes it when the last report is in. */
async function settleOne(parts: RightsParts, stored: StoredRights): Promise<void> {
  if (stored.closedMs !== undefined) return
  const request = await requestOf(parts, stored)
  if (request === undefined) return
  await applyRight({ id: stored.id, subject: stored.subject, request }, parts.consents)
  const reports = [...(await parts.store.tasks(stored.id)), ...(await dutiesAbout(parts, stored.id))]
  const status = rightsStatusOf(reports)
  if (isClosedRights(status)) return close(parts, stored, status)
  if (status !== stored.status)
    await record(parts, { stored, step: status }, [parts.store.setStatus(stored.id, status)])
}

/** One transaction: the request is closed, its bundle kept, and for an erasure the person's key destroyed. */
async function close(
  parts: RightsParts,
  stored: StoredRights,
  status: 'fulfilled' | 'partially_fulfilled' | 'denied' | 'revoked' | 'open' | 'in_progress',
): Promise<void> {
  const { store, clock, vault, webhooks, consents } = parts
  const request = await requestOf(parts, stored)
  if (request !== undefined) await concludeRight({ id: stored.id, subject: stored.subject, request }, status, consents)
  const tasks = await store.tasks(stored.id)
  const closedMs = clock.now()
  const bundle = await buildBundle(parts, {
    stored,
    status,
    tasks,
    duties: await dutiesAbout(parts, stored.id),
    closedMs,
  })
  const key = await vault.open(stored.subject)
  const isErased = stored.type === 'erase' && status !== 'revoked' && tasks.every(({ state }) => state === 'done')
  const kept = isBundleImpersonal(stored) ? bundle : key.seal(bundle)
  await record(parts, { stored, step: `closed:${status}` }, [
    store.close(stored.id, { status, closedMs, bundle: kept }),
    ...webhooks.statement({ type: 'rights.closed', payload: { request: stored.id, type: stored.type, status } }),
    ...(isErased ? vault.destroy(stored.subject, closedMs) : []),
  ])
  if (isErased) await vault.forget(stored.subject)
  webhooks.wake()
}

async function lift(parts: RightsParts, stored: StoredRights): Promise<void> {
  const request = await requestOf(parts, stored)
  if (request === undefined) throw new Problem('subject-erased', 'the person was erased')
  const debtors = debtorsOf(request, await parts.consents.readers(stored.subject))
  const dueMs = rightsDueMs(parts.clock.now())
  const statements = debtors.flatMap(({ did, consent, pairwise }) => [
    ...parts.duties.impose({
      kind: 'lift-restriction',
      consent,
      subjectPairwise: pairwise,
      debtor: did,
      dueMs,
      rightsRequest: `${stored.id}:lifted`,
    }),
  ])
  await record(parts, { stored, step: 'lifted' }, statements)
  parts.outbox.wake()
  // As for a restriction that was denied: what was paused for it comes back.
  await concludeRight({ id: stored.id, subject: stored.subject, request }, 'denied', parts.consents)
}

/** A step of the request in the log; it names nobody. */
async function record(
  parts: RightsParts,
  { stored, step }: { readonly stored: StoredRights; readonly step: string },
  statements: readonly Statement[],
): Promise<void> {
  const [id, timeMs] = [parts.newId(), parts.clock.now()]
  const body = JSON.stringify({ type: 'rights', id, time: timeMs, request: stored.id, right: stored.type, step })
  await parts.record({ id, type: 'rights', timeMs, body }, statements)
}

function dutiesAbout({ duties }: RightsParts, id: string) {
  return duties.list({ rightsRequest: id, limit: maxDuties })
}

async function requestOf({ vault }: RightsParts, { body }: StoredRights): Promise<RightsRequest | undefined> {
  const text = await vault.unseal(body)
  return text === undefined ? undefined : parseRightsRequest(JSON.parse(text))
}

async function viewOf(parts: RightsParts, stored: StoredRights): Promise<RightsView> {
  const { id, type, status, receivedMs, dueMs, extension, closedMs } = stored
  return {
    id,
    type,
    status,
    receivedMs,
    dueMs,
    isOverdue: closedMs === undefined && dueMs <= parts.clock.now(),
    extension,
    closedMs,
    request: await requestOf(parts, stored),
    tasks: (await parts.store.tasks(id)).map(({ product, state, reportedMs }) => ({ product, state, reportedMs })),
    duties: await dutiesAbout(parts, id),
  }
}
