/** From the texts of policies to a set that can be decided by, or to every mistake that is in them. */
import { fork } from 'node:child_process'
import { createHash } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { cedarVersion } from '../engine/cedar-wasm.ts'
import type { PolicyFault, PreparedPolicy, PreparedSet } from '../engine/policy-engine.ts'
import { splitPolicies, type PolicyPiece } from '../engine/split-policies.ts'
import { maxBrackets, maxPolicies, maxPolicyLength, maxSetBytes, preparationTimeoutMs } from './policy-limits.ts'
import { policySchemaText } from './policy-schema.ts'
import { readMask } from './policy-mask.ts'
import { contradictions } from './transform-order.ts'
import type { PreparationTask, PreparedPieces } from './prepare-pieces.ts'

/** A text that holds policies. */
export interface PolicyText {
  /** Name of the file, or another name by which faults tell it from others. */
  readonly source: string
  readonly text: string
}

/** A good set, or what is wrong: all of it, in the order of the texts. */
export type Preparation =
  { readonly ok: true; readonly set: PreparedSet } | { readonly ok: false; readonly faults: readonly PolicyFault[] }

/** What a prepared set can be kept under: texts, schema and version of Cedar, SHA-256 as base64url. The order of the
 *  texts does not matter. */
export function preparationKey(texts: readonly PolicyText[]): string {
  const sorted = texts.map(({ source, text }) => [source, text]).toSorted(([a = ''], [b = '']) => (a < b ? -1 : 1))
  return sha256([preparationRules, cedarVersion, policySchemaText(), sorted])
}

/** Counts up when this node's own rules for a set change, so that nothing kept from before is taken for checked. */
const preparationRules = 3

/** Checks and formats the policies in a process of its own, which takes a second or two and never throws for what the
 *  texts hold. What takes longer than `timeoutMs` is a fault. */
export async function prepareSet(
  texts: readonly PolicyText[],
  { timeoutMs = preparationTimeoutMs }: { readonly timeoutMs?: number } = {},
): Promise<Preparation> {
  const oversize = sizeFaults(texts)
  if (oversize.length > 0) return { ok: false, faults: oversize }
  const pieces = texts.flatMap(({ source, text }) => splitPolicies(text).map((piece) => ({ source, ...piece })))
  if (pieces.length > maxPolicies)
    return failed(texts, `${pieces.length} policies are more than ${maxPolicies}, which a set may hold`)
  const tooLarge = pieces.flatMap(pieceFaults)
  const readable = pieces.filter((piece) => pieceFaults(piece).length === 0)
  const task: PreparationTask = {
    pieces: readable,
    schema: policySchemaText(),
  }
  const prepared = await prepareApart(task, timeoutMs)
  if (typeof prepared === 'string') return failed(texts, prepared)
  const faults = inOrder([...tooLarge, ...prepared.faults], texts)
  return faults.length > 0 ? { ok: false, faults } : { ok: true, set: setOf(prepared, texts) }
}

function setOf({ policies, warnings }: PreparedPieces, texts: readonly PolicyText[]): PreparedSet {
  const sorted = policies.toSorted((a, b) => (a.id < b.id ? -1 : 1))
  const empty = { source: texts[0]?.source ?? '', message: 'the set has no policies, so it denies every call' }
  const told = [...warnings, ...sorted.flatMap(contradictory)]
  return { policies: sorted, hash: hashOf(sorted), warnings: sorted.length === 0 ? [empty] : inOrder(told, texts) }
}

/** Transforms of one permit that end each other. */
function contradictory({ id, effect, annotations, place }: PreparedPolicy): PolicyFault[] {
  const { transforms = [] } = readMask(annotations, effect).mask
  return contradictions(transforms).map((message) => ({
    source: id,
    ...place,
    policy: id,
    message: `@transforms: ${message}`,
  }))
}

function hashOf(policies: readonly PreparedPolicy[]): string {
  return sha256(policies.map(({ id, text }) => [id, text]))
}

function sha256(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('base64url')
}

function failed(texts: readonly PolicyText[], message: string): Preparation {
  return { ok: false, faults: [{ source: texts[0]?.source ?? '', message }] }
}

function sizeFaults(texts: readonly PolicyText[]): PolicyFault[] {
  let bytes = 0
  for (const { source, text } of texts) {
    bytes += Buffer.byteLength(text)
    if (bytes > maxSetBytes)
      return [{ source, message: `up to here the set has ${bytes} bytes, more than ${maxSetBytes}` }]
  }
  return []
}

function pieceFaults({ source, head: line, text, depth }: PolicyPiece & { source: string }): PolicyFault[] {
  const fault = (message: string): PolicyFault => ({ source, line, message })
  return [
    ...(text.length > maxPolicyLength
      ? [fault(`the policy has ${text.length} characters, more than ${maxPolicyLength}`)]
      : []),
    ...(depth > maxBrackets ? [fault(`its brackets are nested ${depth} deep, more than ${maxBrackets}`)] : []),
  ]
}

function inOrder(faults: readonly PolicyFault[], texts: readonly PolicyText[]): PolicyFault[] {
  const place = new Map(texts.map(({ source }, at) => [source, at]))
  const at = ({ source }: PolicyFault): number => place.get(source) ?? 0
  return faults.toSorted((a, b) => at(a) - at(b) || (a.line ?? 0) - (b.line ?? 0))
}

/** The process's answer, or why there is none. What a policy can do to Cedar ends with the process, its memory too; it
 *  is given nothing of this one's environment. */
async function prepareApart(task: PreparationTask, timeoutMs: number): Promise<PreparedPieces | string> {
  const child = fork(fileURLToPath(new URL('prepare-process.ts', import.meta.url)), [], {
    execArgv: [],
    env: {},
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  })
  const { promise, resolve } = Promise.withResolvers<PreparedPieces | string>()
  child.once('message', (answer) => resolve(answer as unknown as PreparedPieces | string))
  child.once('error', (error) => resolve(`the policies cannot be checked: ${error.message}`))
  child.once('exit', () => resolve('the policies cannot be checked: the process that reads them ended by itself'))
  const timer = setTimeout(() => resolve(`the policies could not be checked within ${timeoutMs / 1000} s`), timeoutMs)
  child.send(task)
  try {
    return await promise
  } finally {
    clearTimeout(timer)
    child.kill('SIGKILL')
  }
}
