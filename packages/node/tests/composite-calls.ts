/** Composites on real nodes: what a recipient's node would send to the holder, and what comes back. */
import assert from 'node:assert/strict'
import {
  parseComposite,
  parseSlices,
  sliceHash,
  type CompositeAnswer,
  type Slice,
} from '@comity/core/exchange/composite-answer'
import { membersOf } from '@comity/core/bytes/raw-members'
import { parseReceipt, type ReceiptClaims } from '@comity/core/exchange/receipt'
import { testPurposes } from '@comity/core/consent/test-consent'
import { isSigned, send, signCall, type Answer, type CallDraft } from './signed-call.ts'
import type { TestNetwork } from './test-network.ts'

export const { research, marketing } = testPurposes

/** A part as JSON has it. */
export type PartDraft = Readonly<Record<string, unknown>>

/** A composite's call with these parts, signed by the recipient. */
export function compositeCall(network: TestNetwork, parts: Readonly<Record<string, PartDraft>>, changes = {}) {
  const draft: Partial<CallDraft> = {
    method: 'POST',
    path: '/composites',
    body: JSON.stringify({ parts }),
    headers: {},
  }
  return signCall(network, { ...draft, ...changes })
}

export interface CompositeSeen extends CompositeAnswer {
  readonly answer: Answer
  readonly claims: ReceiptClaims
  /** Id of the exchange. */
  readonly id: string
}

/** Sends it; the answer must be signed, and the receipt must say what came. */
export async function composite(
  network: TestNetwork,
  parts: Readonly<Record<string, PartDraft>>,
): Promise<CompositeSeen> {
  const call = compositeCall(network, parts)
  const answer = await send(network.holder, call)
  assert.equal(answer.status, 200, answer.body.toString())
  assert.equal(isSigned(network.holder, call, answer), true)
  const { claims } = parseReceipt(answer.headers.get('comity-receipt') ?? '')
  const read = parseComposite(answer.body)
  const stated = claims.parts ?? read.stated ?? []
  assert.deepEqual(
    stated.map(({ name, status, res }) => [name, status, res]),
    [...read.slices].map(([name, slice]) => [name, slice.status, sliceHash(slice)]),
  )
  return { ...read, answer, claims, id: answer.headers.get('comity-exchange') ?? '' }
}

/** The JSON in a slice. */
export function bodyOf({ slices }: CompositeAnswer, name: string): unknown {
  const { content } = slices.get(name) as Slice
  return content !== undefined && 'json' in content ? JSON.parse(content.json) : content
}

/** For each part the code of its refusal, else its status. */
export function codesOf(seen: CompositeAnswer): Record<string, string> {
  return Object.fromEntries([...seen.slices].map(([name, slice]) => [name, codeOf(slice)]))
}

function codeOf({ status, content }: Slice): string {
  return content?.as === 'problem' ? String((JSON.parse(content.json) as { code?: unknown }).code) : String(status)
}

/** One exchange of a composite, as the application reads of it. */
export interface CompositeProof {
  readonly partner: string
  readonly exchange: string
  readonly parts: readonly string[]
  readonly receipt?: string
}

/** What an application gets of the recipient's own node. `text` is the answer as it came. */
export async function compose(
  network: TestNetwork,
  parts: Record<string, PartDraft>,
  headers: Record<string, string> = {},
) {
  const answer = await fetch(network.recipient.local('/~composite'), {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ parts }),
  })
  const text = await answer.text()
  assert.equal(answer.status, 200, text)
  const members = membersOf(text)
  const slices = parseSlices(members.get('parts') ?? '')
  const exchanges = JSON.parse(members.get('exchanges') ?? '') as CompositeProof[]
  return { text, slices, exchanges, id: answer.headers.get('comity-exchange') ?? '', codes: codesOf({ slices }) }
}
