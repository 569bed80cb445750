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
import { createTurns, type Turns } from '../storage/turns.ts'
import type { RightsParts } from './rights-ports.ts'
import { erasesWhole, requireKnown, storesOf } from './rights-scope.ts'
import type { PersonAsking, Rights, RightsView, TaskReport } from './rights-service.ts'
import { findSame } from './same-request.ts'
import { closeRequest, dutiesOf, liftRestriction, recordStep, requestOf, settleRequest } from './rights-steps.ts'
import type { StoredRights, StoredTask } from './rights-store.ts'

/** Requests that one person may have open at once: each is told to everyone who ever read about them. */
const maxOpen = 20
const settledInTurn = 200
const sealedPrefix = 'sealed:'

const reportSchema = z
  .strictObject({
    state: z.enum(['done', 'refused']),
    ground: z.string().min(1).max(1000).optional(),
    data: z.json().optional(),
  })
  .refine(({ state, ground }) => state === 'done' || ground !== undefined, {
    path: ['ground'],
    error: '`refused` needs a `ground`, which the person reads',
  })

/** The requests of one node. */
export function createRights(parts: RightsParts): Rights {
  const turns = createTurns()
  const view = (stored: StoredRights) => viewOf(parts, stored)
  return {
    ...readsOf(parts),
    ...reportsOf(parts, turns),
    ...changesOf(parts, turns),
    async open(person, input, method) {
      // In turns by person, so that what they may ask is counted right.
      const { id, isNew } = await turns(`person ${person.subject}`, () => open(parts, person, { input, method }))
      await turns(id, () => settleRequest(parts, id)).catch(parts.onError)
      return { ...(await view(await find(parts, id))), isNew }
    },
  }
}

async function find({ store }: RightsParts, id: string, subject?: string): Promise<StoredRights> {
  const stored = await store.find(id)
  if (stored === undefined || (subject !== undefined && stored.subject !== subject))
    throw new Problem('rights-request-unknown', `there is no request \`${id.slice(0, 100)}\``)
  return stored
}

/** Names the state as `viewOf` shows it. */
async function wrongState(parts: RightsParts, stored: StoredRights, possible: string): Promise<Problem> {
  const { id, status } = await viewOf(parts, stored)
  return new Problem('rights-request-state', `the request \`${id}\` is \`${status}\`; it can be ${possible}`, {
    members: { status },
  })
}

type Reads = 'list' | 'show' | 'bundle' | 'countOverdue' | 'remember'

function readsOf(parts: RightsParts): Pick<Rights, Reads> {
  const { store, vault, clock } = parts
  return {
    list: async (filter) => Promise.all((await store.list(filter)).map((stored) => viewOf(parts, stored))),
    show: async (id, subject) => viewOf(parts, await find(parts, id, subject)),
    async bundle(id, subject) {
      const stored = await find(parts, id, subject)
      const { bundle } = stored
      if (bundle === undefined) throw await wrongState(parts, stored, 'handed over once it is closed')
      const text = bundle.startsWith(sealedPrefix) ? await vault.unseal(bundle) : bundle
      if (text === undefined) throw new Problem('subject-erased', 'the person was erased, and the bundle with them')
      return text
    },
    countOverdue: () => store.countOverdue(clock.now()),
    async remember(subject, reference) {
      try {
        const sealed = (await vault.open(subject)).seal(reference)
        const stored = await store.findReference(subject)
        const isKnown = stored !== undefined && (await vault.unseal(stored)) === reference
        if (!isKnown) await parts.execute([store.saveReference(subject, sealed)])
      } catch (error) {
        if (!(error instanceof Problem) || error.code !== 'subject-erased') throw error
      }
    },
  }
}

function reportsOf(parts: RightsParts, turns: Turns): Pick<Rights, 'report' | 'settle'> {
  const { store } = parts
  return {
    async report(id, { product, ...report }, condition) {
      await turns(id, async () => {
        await condition?.()
        await takeReport(parts, await find(parts, id), { product, report })
      })
      await turns(id, () => settleRequest(parts, id)).catch(parts.onError)
      return viewOf(parts, await find(parts, id))
    },
    async settle(id) {
      if (id !== undefined) return turns(id, () => settleRequest(parts, id))
      let ids = await store.listToSettle('', settledInTurn)
      while (ids.length > 0) {
        // One that cannot be settled holds up no other.
        for (const one of ids) await turns(one, () => settleRequest(parts, one)).catch(parts.onError)
        ids = await store.listToSettle(ids.at(-1) ?? '', settledInTurn)
      }
    },
  }
}

function changesOf(parts: RightsParts, turns: Turns): Pick<Rights, 'extend' | 'revoke' | 'lift'> {
  const change = async (
    id: string,
    work: (stored: StoredRights) => Promise<void>,
    { subject, condition }: { readonly subject?: string; readonly condition?: (() => Promise<void>) | undefined },
  ) => {
    await turns(id, async () => {
      await condition?.()
      await work(await find(parts, id, subject))
    })
    return viewOf(parts, await find(parts, id))
  }
  return {
    extend: (id, reason, condition) => change(id, (stored) => extend(parts, stored, reason), { condition }),
    revoke: (id, subject) =>
      change(
        id,
        async (stored) => {
          const request = await requestOf(parts, stored)
          if (stored.closedMs !== undefined || request === undefined)
            throw await wrongState(parts, stored, 'taken back while it is open')
          await closeRequest(parts, stored, { status: 'revoked', request })
        },
        { subject },
      ),
    lift: (id, condition) =>
      change(
        id,
        async (stored) => {
          const isFulfilled = stored.status === 'fulfilled' || stored.status === 'partially_fulfilled'
          if (stored.type !== 'restrict' || !isFulfilled || stored.liftedMs !== undefined)
            throw await wrongState(parts, stored, 'lifted once, when it is a restriction in force')
          await liftRestriction(parts, stored)
        },
        { condition },
      ),
  }
}

async function extend(parts: RightsParts, stored: StoredRights, reason: string): Promise<void> {
  const isPossible = stored.closedMs === undefined && stored.extension === undefined && parts.clock.now() < stored.dueMs
  if (!isPossible) throw await wrongState(parts, stored, 'extended once, before it is due')
  if (reason.length === 0 || reason.length > 1000)
    throw new Problem('rights-request-invalid', 'tell the person why it takes longer', {
      members: { errors: [{ pointer: '/reason', detail: 'has to be 1 to 1000 characters' }] },
    })
  const sealed = (await parts.vault.open(stored.subject)).seal(reason)
  await recordStep(parts, { stored, step: 'extended' }, [
    parts.store.extend(stored.id, extendedRightsDueMs(stored.receivedMs), sealed),
  ])
}

/** Writes the request down, with what its systems are told; what is open already is not asked for again. What follows
 *  from it is done after that, and done again should it be cut off. */
async function open(
  parts: RightsParts,
  person: PersonAsking,
  { input, method }: { readonly input: unknown; readonly method: string },
): Promise<{ readonly id: string; readonly isNew: boolean }> {
  const { store, clock, newId, vault, consents, webhooks } = parts
  const { subject } = person
  const request = parseRightsRequest(input)
  const key = await vault.open(subject)
  const products = parts.products()
  const ofPerson = await consents.list(subject)
  requireKnown(request, { products, consents: ofPerson })
  const asked = await store.list({ subject, isOpen: true, limit: maxOpen })
  const same = await findSame(parts, { asked, consents: ofPerson }, request)
  if (same !== undefined) return { id: same.id, isNew: false }
  await requireRoom(parts, asked, request)
  const [id, receivedMs] = [newId(), clock.now()]
  const dueMs = rightsDueMs(receivedMs)
  const body = key.seal(JSON.stringify(request))
  const stores = storesOf(request, products)
  const reference = person.reference ?? (await referenceOf(parts, subject))
  const told = { request: id, type: request.type, reference, products: stores, ...detailsOf(request, dueMs) }
  const entry = { type: 'rights', id, time: receivedMs, right: request.type, step: 'received', method }
  await parts.record(
    { id, type: 'rights', timeMs: receivedMs, body: JSON.stringify(entry) },
    [
      store.insert({ id, subject, type: request.type, body, receivedMs, dueMs }),
      ...stores.map((product) => store.insertTask(id, product)),
      ...webhooks.statement({ type: 'rights.requested', payload: told }, key),
    ],
    key,
  )
  webhooks.wake()
  return { id, isNew: true }
}

async function requireRoom(parts: RightsParts, asked: readonly StoredRights[], request: RightsRequest): Promise<void> {
  if (asked.length >= maxOpen)
    throw new Problem('rights-request-state', `${maxOpen} requests are open already; wait for one, or take one back`)
  const same = erasesWhole(request) ? asked.find(({ type }) => type === 'erase') : undefined
  if (same !== undefined) throw await wrongState(parts, same, 'taken back, if another erasure is to be asked for')
}

async function referenceOf({ store, vault, consents }: RightsParts, subject: string): Promise<string | undefined> {
  const sealed = await store.findReference(subject)
  return (sealed === undefined ? undefined : await vault.unseal(sealed)) ?? consents.referenceOf(subject)
}

function detailsOf({ scope, corrections, message }: RightsRequest, dueMs: number) {
  return { scope, corrections, message, due: new Date(dueMs).toISOString() }
}

async function takeReport(
  parts: RightsParts,
  stored: StoredRights,
  { product, report }: { readonly product: string; readonly report: TaskReport },
): Promise<void> {
  const { state, ground, data } = readReport(report, stored)
  const task = (await parts.store.tasks(stored.id)).find((candidate) => candidate.product === product)
  if (task === undefined)
    throw new Problem('rights-request-unknown', `the request asks nothing of \`${product.slice(0, 100)}\``)
  if (stored.closedMs !== undefined) throw await wrongState(parts, stored, 'reported on while it is open')
  if (task.state !== 'open') {
    const detail = `\`${product}\` has reported already: \`${task.state}\`; that report stands`
    throw new Problem('rights-request-state', detail, { members: { state: task.state } })
  }
  const reportedMs = parts.clock.now()
  // Of a person who was erased meanwhile nothing is kept but that it was reported.
  const key = (await requestOf(parts, stored)) === undefined ? undefined : await parts.vault.open(stored.subject)
  const text = key?.seal(JSON.stringify({ state, ground, data }))
  await recordStep(parts, { stored, step: `reported:${product}:${state}` }, [
    parts.store.reportTask({ request: stored.id, product, state, report: text, reportedMs }),
  ])
}

function readReport(report: TaskReport, { type }: StoredRights) {
  const parsed = reportSchema.safeParse(report)
  if (!parsed.success) {
    const { path = [], message = '' } = parsed.error.issues[0] ?? {}
    throw wrongReport(`/${path.join('/')}`, message)
  }
  const { state, data } = parsed.data
  const handsOver = type === 'access' || type === 'port'
  if (handsOver && state === 'done' && data === undefined)
    throw wrongReport(
      '/data',
      'hand over in `data` what the system has of the person, or say with `null` that it has nothing',
    )
  if (!handsOver && data !== undefined)
    throw wrongReport('/data', `\`data\` belongs to \`access\` and \`port\` only, and this is \`${type}\``)
  return parsed.data
}

function wrongReport(pointer: string, detail: string): Problem {
  const members = { errors: [{ pointer, detail }] }
  return new Problem('rights-request-invalid', `the report is wrong: ${detail}`, { members })
}

async function viewOf(parts: RightsParts, stored: StoredRights): Promise<RightsView> {
  const { id, type, receivedMs, dueMs, extension, closedMs, liftedMs } = stored
  const [tasks, duties] = [await parts.store.tasks(id), await dutiesOf(parts, id)]
  const reported = rightsStatusOf([...tasks, ...duties])
  // All reports may be in while it is not closed yet.
  const underway = isClosedRights(reported) ? 'in_progress' : reported
  return {
    id,
    type,
    status: closedMs === undefined ? underway : stored.status,
    receivedMs,
    dueMs,
    isOverdue: closedMs === undefined && dueMs <= parts.clock.now(),
    extension: extension && (await parts.vault.unseal(extension)),
    closedMs,
    liftedMs,
    request: await requestOf(parts, stored),
    tasks: await Promise.all(tasks.map((task) => taskView(parts, task))),
    duties,
  }
}

async function taskView({ vault }: RightsParts, { product, state, reportedMs, report }: StoredTask) {
  const text = report === undefined || state !== 'refused' ? undefined : await vault.unseal(report)
  const ground = text === undefined ? undefined : (JSON.parse(text) as TaskReport).ground
  return { product, state, reportedMs, ground }
}
