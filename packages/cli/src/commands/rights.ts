/** `comity rights`: what people ask about their data, entered, answered and handed over. */
import type { OpenedRightsView, RightsRequestView } from '@comity/node/admin/rights-api'
import { Problem } from '@comity/core/problems'
import { connect, readJsonFile, show, writeTextFile, type CommandContext } from '../command-context.ts'
import { table } from '../output.ts'

const path = '/v1/rights/requests'
const requestPath = (id: string) => `${path}/${encodeURIComponent(id)}`

export interface OpenArguments {
  readonly type: string
  readonly reference: string
  readonly product?: readonly string[]
  readonly consent?: readonly string[]
  readonly correct?: readonly string[]
  readonly message?: string
}

export async function openRequest(context: CommandContext, options: OpenArguments): Promise<void> {
  const { type, reference, product, consent, correct, message } = options
  const scope = { ...(product && { products: product }), ...(consent && { consents: consent }) }
  const request = await (
    await connect(context)
  ).post<OpenedRightsView>(path, {
    reference,
    type,
    ...(Object.keys(scope).length > 0 && { scope }),
    ...(correct && { corrections: Object.fromEntries(correct.map(correctionOf)) }),
    ...(message !== undefined && { message }),
  })
  const known = request.isNew ? [] : ['asked before and still open: nobody was told again']
  show(context, request, () => [request.id, ...known, ...requestLines(request)])
}

/** `height=182`, `name=Amina`: a value that is JSON is taken as such. */
function correctionOf(text: string): [string, unknown] {
  const at = text.indexOf('=')
  if (at < 1) throw new Problem('malformed-request', `\`${text}\` is not like height=182`)
  const value = text.slice(at + 1)
  try {
    return [text.slice(0, at), JSON.parse(value) as unknown]
  } catch {
    return [text.slice(0, at), value]
  }
}

export interface ListArguments {
  readonly open: boolean
  readonly reference?: string
  readonly limit: number
}

export async function listRequests(context: CommandContext, { open, reference, limit }: ListArguments): Promise<void> {
  const query = new URLSearchParams({
    ...(open && { open: 'true' }),
    ...(reference !== undefined && { reference }),
    limit: String(limit),
  })
  const requests = await (await connect(context)).get<RightsRequestView[]>(`${path}?${query.toString()}`)
  const rows = requests.map((request) => {
    const { id, type, status, received, due, overdue } = request
    return [id, type, overdue ? `${status}, overdue` : status, received, due, waitingFor(request).join(' ')]
  })
  show(context, requests, () => table([['id', 'asks', 'status', 'received', 'due', 'waits for'], ...rows]))
}

export async function showRequest(context: CommandContext, id: string): Promise<void> {
  const request = await (await connect(context)).get<RightsRequestView>(requestPath(id))
  context.terminal.out(JSON.stringify(request, null, 2))
}

export interface ReportArguments {
  readonly product: string
  readonly refused: boolean
  readonly ground?: string
  /** A file; false when there is nothing; true, by the command line's convention, when nothing was said. */
  readonly data?: string | boolean
}

export async function reportStore(context: CommandContext, id: string, options: ReportArguments): Promise<void> {
  const { product, refused, ground, data } = options
  if (refused && ground === undefined)
    throw new Problem('malformed-request', 'say with `--ground` why not, or by which law: the person reads it')
  if (refused && data !== undefined && data !== true)
    throw new Problem('malformed-request', '`--refused` hands nothing over: leave `--data` and `--no-data` out')
  const known = typeof data === 'string' ? await readJsonFile(data) : null
  const client = await connect(context)
  const request = await client
    .post<RightsRequestView>(`${requestPath(id)}/report`, {
      product,
      state: refused ? 'refused' : 'done',
      ...(ground !== undefined && { ground }),
      ...(data !== undefined && data !== true && { data: known }),
    })
    .catch((error: unknown) => {
      throw isAboutData(error) ? saidByOptions(data) : error
    })
  const said = refused ? 'will not do it' : 'has done its part'
  show(context, request, () => [`${product} ${said}, as the person is told`, ...requestLines(request)])
}

function isAboutData(error: unknown): boolean {
  if (!(error instanceof Problem) || error.code !== 'rights-request-invalid') return false
  const errors = error.members['errors'] as readonly { readonly pointer?: string }[] | undefined
  return errors?.some(({ pointer }) => pointer === '/data') === true
}

/** What the node says of `data`, in the words of the command line. */
function saidByOptions(data: ReportArguments['data']): Problem {
  const isSaid = data !== undefined && data !== true
  const detail = isSaid
    ? '`--data` and `--no-data` belong to `access` and `port` only: leave them out'
    : 'say with `--data FILE` what the system has of the person, or with `--no-data` that it has nothing'
  return new Problem('malformed-request', detail)
}

export async function extendRequest(context: CommandContext, id: string, reason: string): Promise<void> {
  const request = await (await connect(context)).post<RightsRequestView>(`${requestPath(id)}/extend`, { reason })
  show(context, request, () => requestLines(request))
}

export async function liftRestriction(context: CommandContext, id: string): Promise<void> {
  const request = await (await connect(context)).post<RightsRequestView>(`${requestPath(id)}/lift`, {})
  show(context, request, () => [`lifted; who restricted is told`])
}

export async function writeBundle(context: CommandContext, id: string, { out }: { readonly out?: string }) {
  const bundle = await (await connect(context)).get<unknown>(`${requestPath(id)}/bundle`)
  const text = JSON.stringify(bundle)
  if (out === undefined) return context.terminal.out(text)
  await writeTextFile(out, `${text}\n`)
  show(context, { wrote: out }, () => [`wrote ${out}`])
}

function requestLines(request: RightsRequestView): string[] {
  const { id, status, due, closed } = request
  if (closed !== undefined) return [`${status}, closed ${closed}`, `the signed answer: comity rights bundle ${id}`]
  const waiting = waitingFor(request)
  const last = 'everybody has reported; it is closed as soon as no use can follow that they were not told of'
  return [`${status}, due ${due}`, ...(waiting.length > 0 ? waiting.map((who) => `waits for ${who}`) : [last])]
}

function waitingFor({ stores, recipients }: RightsRequestView): string[] {
  return [
    ...stores.filter(({ state }) => state === 'open').map(({ product }) => product),
    ...new Set(recipients.filter(({ state }) => state === 'open').map(({ debtor }) => debtor)),
  ]
}
