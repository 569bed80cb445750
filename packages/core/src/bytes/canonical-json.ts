/** The JSON Canonicalization Scheme (RFC 8785): one text for one JSON value, so that it can be hashed and signed. */
import canonicalize from 'canonicalize'
import { Problem } from '../problems.ts'

/** Canonical text of a JSON value: members sorted by UTF-16 code units, no white space, ECMAScript numbers.
 *  Members that are `undefined` are left out. Throws `malformed-request` for what JSON or I-JSON cannot hold:
 *  NaN, infinities, lone surrogates, big integers, functions, cycles. */
export function canonicalJson(value: unknown): string {
  refuseFunctions(value)
  const text = canonicalOrProblem(value)
  if (text === undefined) throw new Problem('malformed-request', 'the value has no JSON form')
  return text
}

function canonicalOrProblem(value: unknown): string | undefined {
  try {
    return canonicalize(value)
  } catch (cause) {
    throw new Problem('malformed-request', 'the value has no canonical JSON form', { cause })
  }
}

// The library writes a function as nothing at all (`[,]`), which is not JSON.
function refuseFunctions(value: unknown, depth = 0): void {
  if (typeof value === 'function' || depth > 1000) {
    throw new Problem('malformed-request', 'the value holds a function, a cycle or too many levels')
  }
  if (typeof value !== 'object' || value === null) return
  for (const member of Object.values(value)) refuseFunctions(member, depth + 1)
}
