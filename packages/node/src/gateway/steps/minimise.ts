/** Step 11, `minimise`: the answer is judged by the operation's schema; what is not declared does not leave. Of an
 *  answer with labelled fields, what was released and nothing else leaves, and what is withheld is named. */
import type { Release } from '@comity/core/consent/release'
import { formatStringList } from '@comity/core/http-signatures/structured-fields'
import type { TransformMeans } from '@comity/core/minimisation/transforms'
import { participantOf } from '../calling-party.ts'
import type { Answer, InboundCall, Step } from '../inbound-call.ts'
import type { MatchedOperation, OfferedProduct } from '../ports.ts'

export interface MinimiseOptions {
  /** A keyed hash of a text, other towards every participant. */
  readonly keyedHash: (text: string, did: string) => string
}

interface Answered {
  readonly product: OfferedProduct
  readonly operation: MatchedOperation
  readonly answer: Answer
}

/** Longest list of what is withheld: all fields of an answer together must not be too long for those who read it. */
const maxNamedLength = 3_000

/** Of a call about nobody there is no pairwise name: a pseudonym is one of the value then. */
function meansOf(call: InboundCall, { keyedHash }: MinimiseOptions): TransformMeans {
  const { consent } = call
  if (consent !== undefined) return { keyedHash: consent.keyedHash, pseudonym: consent.pairwise }
  const did = participantOf(call) ?? ''
  return { keyedHash: (text) => keyedHash(text, did), pseudonym: undefined }
}

function withhold({ product, operation, answer }: Answered, release: Release, means: TransformMeans): Answer {
  if (answer.stream !== undefined) throw new Error(`a streamed answer of \`${product.id}\` is not minimised whole`)
  const { status, headers, body } = product.minimise(operation, answer, { release, means })
  const named = status < 400 && operation.data?.answersFields === true
  return { status, headers: [...headers, ...(named ? withheldField(release) : [])], body }
}

/** The field that names what is withheld, name and value in turn. */
function withheldField(release: Release): string[] {
  const named = formatStringList(release.withheld)
  return named === '' || named.length > maxNamedLength ? [] : ['comity-fields-withheld', named]
}

/** INVARIANT: no answer with labelled fields without a release, none about a person without a consent, whatever came
 *  before this step. */
function reduce(answered: Answered, call: InboundCall, options: MinimiseOptions): Answer {
  const { product, operation, answer } = answered
  if (operation.data === undefined) return product.judge(operation, answer)
  const release = releaseOf(answered, call)
  const means = meansOf(call, options)
  if (answer.stream === undefined) return withhold(answered, release, means)
  const { headers, rows } = product.openStream(operation, answer.headers, { release, means })
  call.rows = rows
  return { ...answer, headers: [...headers, ...withheldField(release)] }
}

function releaseOf({ product, operation }: Answered, call: InboundCall): Release {
  if (operation.personal !== undefined && call.consent === undefined) {
    throw new Error(`an answer of \`${product.id}\` without a consent`)
  }
  if (call.release === undefined) throw new Error(`an answer of \`${product.id}\` without a release`)
  return call.release
}

export function minimise(options: MinimiseOptions): Step {
  return {
    name: 'minimise',
    run(call) {
      const { product, operation, answer } = call
      if (product === undefined || operation === undefined || answer === undefined) return
      if (call.intent?.replayed || call.referral !== undefined) return
      call.answer = reduce({ product, operation, answer }, call, options)
    },
  }
}
