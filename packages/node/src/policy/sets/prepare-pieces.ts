/** Reads, checks and formats the policies of a set with Cedar's own implementation. Runs in a process that ends with it. */
import { reloadCedar, type Cedar } from '../engine/cedar-wasm.ts'
import { compilePolicy } from '../engine/compile-policy.ts'
import { estFaults } from '../engine/est-limits.ts'
import type { PolicyFault, PreparedPolicy } from '../engine/policy-engine.ts'
import { newlines } from '../engine/split-policies.ts'
import { maxExpressionDepth } from './policy-limits.ts'
import { readMask } from './policy-mask.ts'

/** One policy of a text, by itself. */
export interface SourcePiece {
  readonly source: string
  readonly text: string
  /** Of its first character in the source, which may be that of a comment. */
  readonly line: number
  /** Of its first word. */
  readonly head: number
}

/** What is to be prepared. */
export interface PreparationTask {
  readonly pieces: readonly SourcePiece[]
  readonly schema: string
}

/** All that was found. The policies are a set only when there is no fault. */
export interface PreparedPieces {
  readonly policies: readonly PreparedPolicy[]
  readonly faults: readonly PolicyFault[]
  readonly warnings: readonly PolicyFault[]
}

/** A policy that Cedar can read, which does not say that all else about it is right. */
interface ReadPiece {
  readonly piece: SourcePiece
  readonly policy: PreparedPolicy
  readonly faults: readonly PolicyFault[]
}

/** Reads every policy by itself, then all that could be read against the schema. */
export function preparePieces({ pieces, schema }: PreparationTask): PreparedPieces {
  const faults: PolicyFault[] = []
  const read: ReadPiece[] = []
  const named = new Map<string, ReadPiece>()
  let cedar = reloadCedar()
  for (const piece of pieces) {
    try {
      const found = readPiece(cedar, piece)
      faults.push(...found.faults)
      if (!('policy' in found)) continue
      read.push(found)
      const { id } = found.policy
      const known = named.get(id)
      if (known !== undefined) faults.push(repeated(found, known))
      else if (id !== '') named.set(id, found)
    } catch (error) {
      if (!isExhausted(error)) throw error
      cedar = reloadCedar()
      faults.push({ source: piece.source, line: piece.head, message: tooLarge })
    }
  }
  const checked = validateAll(cedar, read, schema)
  return {
    policies: read.map(({ policy }) => policy),
    faults: [...faults, ...checked.faults],
    warnings: checked.warnings,
  }
}

const tooLarge = 'the policy is too large to be read: its expressions nest too deeply, or a list in it is too long'

/** True for the end of Cedar's own stack, and for the end of the process's. */
function isExhausted(error: unknown): boolean {
  return error instanceof WebAssembly.RuntimeError || error instanceof RangeError
}

const idPattern = /^[A-Za-z0-9][A-Za-z0-9._:/-]{0,127}$/

function readPiece(cedar: Cedar, piece: SourcePiece): ReadPiece | Pick<ReadPiece, 'faults'> {
  const { source, head: line, text } = piece
  const formatted = cedar.policyToJson(text).type === 'success' ? cedar.formatPolicies({ policyText: text }) : undefined
  const parsed = cedar.policyToJson(formatted?.type === 'success' ? formatted.formatted_policy : text)
  if (parsed.type === 'failure') return { faults: parsed.errors.map((error) => syntaxFault(cedar, piece, error)) }
  if (formatted?.type !== 'success') return { faults: [{ source, line, message: 'Cedar cannot format the policy' }] }
  const { annotations = {}, effect } = parsed.json
  const { id } = annotations
  const tooMuch = estFaults(parsed.json, maxExpressionDepth)
  const messages = [
    ...(id === undefined ? ['the policy has no @id, by which receipts and events name it'] : []),
    ...(id === undefined || idPattern.test(id)
      ? []
      : [`the @id \`${id}\` is not 1 to 128 letters, digits and \`. _ : / -\``]),
    ...readMask(annotations, effect).faults,
    ...tooMuch,
    ...compilationFaults(parsed.json),
  ]
  const named = id === undefined ? {} : { policy: id }
  const faults = messages.map((message): PolicyFault => ({ source, ...named, line, message }))
  // What is too large to be decided by is not given to the schema's checks either.
  if (tooMuch.length > 0) return { faults }
  const place = { source, line }
  const policy = { id: id ?? '', effect, text: formatted.formatted_policy, json: parsed.json, annotations, place }
  return { piece, policy, faults }
}

function repeated({ piece, policy }: ReadPiece, { piece: first }: ReadPiece): PolicyFault {
  const where = `line ${first.head} of ${first.source}`
  return {
    source: piece.source,
    policy: policy.id,
    line: piece.head,
    message: `the @id \`${policy.id}\` is used before, in ${where}`,
  }
}

type CedarError = Extract<ReturnType<Cedar['policyToJson']>, { type: 'failure' }>['errors'][number]

function syntaxFault(cedar: Cedar, piece: SourcePiece, error: CedarError): PolicyFault {
  if (cedar.templateToJson(piece.text).type === 'success') {
    const help = 'write it without slots; whom or what it is about can be a group, kept in the relationships'
    return {
      source: piece.source,
      line: piece.head,
      message: 'the policy is a template, which a set cannot hold',
      help,
    }
  }
  const label = error.sourceLocations?.[0]?.label
  const message = error.message.replace(/^failed to parse policy from string: /, '')
  return faultOf(piece, error, { message: typeof label === 'string' ? `${message}, ${label}` : message })
}

function faultOf(
  piece: SourcePiece,
  error: CedarError,
  { message, policy }: { message: string; policy?: string },
): PolicyFault {
  const start = error.sourceLocations?.[0]?.start
  const line = start === undefined ? piece.head : piece.line + linesBefore(piece.text, start)
  const named = policy === undefined ? {} : { policy }
  return {
    source: piece.source,
    ...named,
    line,
    message,
    ...(typeof error.help === 'string' ? { help: error.help } : {}),
  }
}

/** Cedar counts places in bytes of UTF-8. */
function linesBefore(text: string, byteOffset: number): number {
  const before = Buffer.from(text).subarray(0, byteOffset).toString()
  return newlines(before, 0, before.length)
}

/** All at once, since each call reads the schema again; one by one when one of them is too large for that. */
function validateAll(cedar: Cedar, read: readonly ReadPiece[], schema: string): Validated {
  try {
    return validate(cedar, read, schema)
  } catch (error) {
    if (!isExhausted(error)) throw error
  }
  const validated = read.map((each): Validated => {
    const fresh = reloadCedar()
    try {
      return validate(fresh, [each], schema)
    } catch (error) {
      if (!isExhausted(error)) throw error
      const { source, head: line } = each.piece
      return { faults: [{ source, ...namedIn(each), line, message: tooLarge }], warnings: [] }
    }
  })
  return {
    faults: validated.flatMap(({ faults }) => faults),
    warnings: validated.flatMap(({ warnings }) => warnings),
  }
}

const namedIn = ({ policy: { id } }: ReadPiece): { readonly policy?: string } => (id === '' ? {} : { policy: id })

type Validated = Omit<PreparedPieces, 'policies'>

/** By its place in the list for Cedar, since several may have the same name or none. */
function validate(cedar: Cedar, read: readonly ReadPiece[], schema: string): Validated {
  const staticPolicies = Object.fromEntries(read.map(({ piece }, at) => [`policy-${at}`, piece.text]))
  const answer = cedar.validate({ schema, policies: { staticPolicies } })
  // Every policy was read before, and the schema is ours.
  if (answer.type === 'failure') throw new Error(answer.errors.map(({ message }) => message).join('; '))
  const placed = (found: readonly { policyId: string; error: CedarError }[]): readonly PolicyFault[] =>
    firstOfEachPlace(
      found.flatMap(({ policyId, error }) => {
        const each = read[Number(policyId.slice('policy-'.length))]
        const bare = (text: string) => text.replace(`for policy \`${policyId}\`, `, '')
        const told = { ...error, ...(typeof error.help === 'string' && { help: bare(error.help) }) }
        const at = error.sourceLocations?.[0]?.start ?? 0
        const fault = each && faultOf(each.piece, told, { message: bare(error.message), ...namedIn(each) })
        return fault === undefined ? [] : [{ at: `${policyId} ${at}`, fault }]
      }),
    )
  return { faults: placed(answer.validationErrors), warnings: placed(answer.validationWarnings) }
}

/** Cedar names a mistake once for each action and principal that it shows with. */
function firstOfEachPlace(found: readonly { at: string; fault: PolicyFault }[]): readonly PolicyFault[] {
  const places = new Map<string, PolicyFault>()
  for (const { at, fault } of found.toSorted((a, b) => (a.fault.message < b.fault.message ? -1 : 1))) {
    if (!places.has(at)) places.set(at, fault)
  }
  return [...places.values()]
}

/** What Cedar reads and the compiled engine does not know, which no version has that this one was tested with. */
function compilationFaults(json: unknown): string[] {
  try {
    compilePolicy({ id: '', json })
    return []
  } catch (error) {
    return [(error as Error).message]
  }
}
