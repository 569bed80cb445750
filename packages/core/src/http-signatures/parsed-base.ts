/** Reads a signature base (RFC 9421 §2.5) back into what it says: evidence keeps the base, not the message. */
import { parseList, type InnerList, type Item } from 'structured-headers'
import { Problem } from '../problems.ts'
import { parseComponent } from './components.ts'
import { serialiseSignatureParams, type SignatureParameter } from './signature-fields.ts'

/** What a base says. */
export interface ParsedBase {
  /** Values of the covered components by identifier, e.g. `"@path";req`. */
  readonly values: ReadonlyMap<string, string>
  readonly params: ReadonlyMap<string, SignatureParameter>
}

const paramsPrefix = '"@signature-params": '
const longestBase = 65_536

/** Takes a base apart. Throws `signature-malformed` unless its lines are exactly the components that its own list
 *  names, each once, and the text is the one that signing them would give. */
export function parseSignatureBase(base: string): ParsedBase {
  if (base.length > longestBase) throw malformed('the signature base is too long')
  const lines = base.split('\n')
  const last = lines.pop() ?? ''
  if (!last.startsWith(paramsPrefix)) throw malformed('the signature base does not end in its parameters')
  const [items, parameters] = parseParams(last.slice(paramsPrefix.length))
  const params = textAndNumbers(parameters)
  const components = items.map(parseComponent)
  if (`${paramsPrefix}${serialiseSignatureParams(components, params)}` !== last) {
    throw malformed('the parameters of the signature base are not canonical')
  }
  if (lines.length !== components.length) throw malformed('the lines of the signature base are not those of its list')
  const values = new Map<string, string>()
  for (const [at, { identifier }] of components.entries()) {
    const line = lines[at] ?? ''
    if (!line.startsWith(`${identifier}: `) || values.has(identifier)) {
      throw malformed('the lines of the signature base are not those of its list')
    }
    values.set(identifier, line.slice(identifier.length + 2))
  }
  return { values, params }
}

function parseParams(text: string): InnerList {
  let members: (Item | InnerList)[]
  try {
    members = parseList(text)
  } catch (cause) {
    throw malformed('the parameters of the signature base cannot be read', cause)
  }
  const [list, ...others] = members
  if (list === undefined || others.length > 0 || !isInnerList(list)) {
    throw malformed('the parameters of the signature base are not one list')
  }
  return list
}

const isInnerList = (member: Item | InnerList): member is InnerList => Array.isArray(member[0])

function textAndNumbers(parameters: InnerList[1]): Map<string, SignatureParameter> {
  const params = new Map<string, SignatureParameter>()
  for (const [name, value] of parameters) {
    if (typeof value !== 'string' && typeof value !== 'number') throw malformed(`the parameter \`${name}\` has no text`)
    params.set(name, value)
  }
  return params
}

function malformed(detail: string, cause?: unknown): Problem {
  return new Problem('signature-malformed', detail, { cause })
}
