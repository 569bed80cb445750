/** One call to several operations of the federation: each part is answered or refused for itself, one receipt names all. */
import { partId } from '@comity/core/exchange/composite-parts'
import { parseReceipt } from '@comity/core/exchange/receipt'
import { call, expectJson } from '../../stage/calls.ts'
import { athlete, otherAthlete, purpose, type Cast } from '../cast.ts'
import { given, type ConsentThread } from './thread.ts'

interface Slice {
  readonly status: number
  readonly body?: unknown
  readonly withheld?: readonly string[]
  readonly problem?: { readonly code: string }
}

interface Composite {
  readonly parts: Readonly<Record<string, Slice>>
  readonly exchanges: readonly { readonly receipt?: string }[]
}

/** What the athlete granted, what needs no consent, and somebody who gave none. */
export async function readComposite({ lab }: Cast, thread: ConsentThread) {
  const about = { partner: 'federation', product: 'profiles', consent: given(thread, 'consent') }
  const parts = {
    body: { ...about, path: `/athletes/${athlete}`, query: 'fields=height,weight' },
    team: { partner: 'federation', product: 'athletes', path: '/athletes', query: 'sport=fencing&_limit=2' },
    other: { ...about, path: `/athletes/${otherAthlete}`, query: 'fields=height' },
  }
  const headers = { 'comity-purpose': purpose, 'content-type': 'application/json' }
  const init = { method: 'POST', headers, body: JSON.stringify({ parts }) }
  const answered = expectJson<Composite>(await call(`${lab.localUrl}/~composite`, init))
  const [exchange, ...more] = answered.exchanges
  const { claims } = parseReceipt(exchange?.receipt ?? '')
  const named = (claims.parts ?? []).map(({ name }) => name)
  if (more.length > 0 || named.join() !== Object.keys(parts).join()) throw new Error('not one receipt over all parts')
  thread.released.push(partId(claims.jti, 'body'))
  return { detail: told(answered.parts), note: `one receipt ${claims.jti} names ${named.join(', ')}`, value: undefined }
}

function told({ body, team, other }: Composite['parts']): string {
  const text = JSON.stringify(body?.body)
  if (body?.status !== 200 || !/^\{"height":[\d.]+\}$/.test(text)) throw new Error(`body is ${body?.status} ${text}`)
  if (body.withheld?.join() !== 'weight') throw new Error('weight is not named as withheld')
  const count = Array.isArray(team?.body) ? team.body.length : 0
  if (team?.status !== 200 || count !== 2) throw new Error(`team is ${team?.status}`)
  const code = other?.problem?.code
  if (other?.status !== 403 || code !== 'consent-required') throw new Error(`other is ${other?.status} ${code ?? ''}`)
  return `body: 200 ${text}; team: 200, ${count} athletes; other: 403 ${code}`
}
